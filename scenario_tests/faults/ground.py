"""Where faults are fired: the services stage with a road in front of every server, and processes that can be armed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
from sqlalchemy import text

from messaging.broker import REPLIES_QUEUE, commands_queue
from scenario_tests.faults.road import Road
from scenario_tests.servers import Servers
from scenario_tests.services_stage import Process, ServicesStage
from scenario_tests.stage import SERVICES
from scenario_tests.waiting import until

Server = Literal["broker", "database"]
SERVERS: tuple[Server, ...] = ("broker", "database")
PATIENT = {"CLERK_STEP_LIMIT_FACTOR": "1", "CLERK_GRACE": "4"}
"""A step may take its minute: no fault of the tests lasts so long, so every order ends as its customer expects."""
_VARIABLES: dict[Server, str] = {"broker": "CLERK_BROKER_URL", "database": "CLERK_DATABASE_URL"}
_LIMIT = 30.0


class Ground:
    """The five processes, the roads of each to its servers, and the servers themselves."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.roads: dict[tuple[str, Server], Road] = {}
        self.stage = ServicesStage(servers, folder, self._lead)

    def _lead(self, service: str, environment: dict[str, str]) -> dict[str, str]:
        """Through our roads; a second process of a service shares those of the first."""
        for server in SERVERS:
            variable = _VARIABLES[server]
            road = self.roads.setdefault((service, server), Road(environment[variable]))
            environment[variable] = road.url
        return environment | PATIENT

    def road(self, service: str, server: Server) -> Road:
        return self.roads[service, server]

    def all_roads(self, server: Server) -> list[Road]:
        return [road for (_, leads_to), road in self.roads.items() if leads_to == server]

    def heal(self) -> None:
        for road in self.roads.values():
            road.heal()

    # --- processes ---------------------------------------------------------------------------------------------------

    def arm(self, service: str, failpoint: str) -> None:
        """Kill it, and start it so that it dies at this point; it may be dead again already when we return."""
        process = self.stage.process(service)
        process.end(signal.SIGKILL)
        process.environment |= {"CLERK_FAILPOINT": failpoint, "CLERK_DEVELOPMENT": "yes"}
        process.start()
        until(lambda: _has_ended(process) or _is_up(process), f"{service} is armed", _LIMIT)

    def dies(self, service: str, failpoint: str, limit: float = _LIMIT) -> None:
        """Wait until it has died, of that point and of nothing else."""
        process = self.stage.process(service)
        until(lambda: _has_ended(process), lambda: f"{service} dies at {failpoint}\n{process.log_end()}", limit)
        assert process.running is not None
        assert process.running.returncode == -signal.SIGKILL, process.log_end()
        assert f"failpoint {_with_count(failpoint)} reached, killed" in process.log_end(), process.log_end()
        process.running = None

    def disarm(self, service: str) -> None:
        environment = self.stage.process(service).environment
        for variable in ("CLERK_FAILPOINT", "CLERK_DEVELOPMENT"):
            environment.pop(variable, None)

    def mend(self) -> None:
        """Whatever a test left broken is whole again: the next one finds all five running."""
        self.heal()
        for service in SERVICES:
            process = self.stage.process(service)
            if "CLERK_FAILPOINT" in process.environment:
                process.end(signal.SIGKILL)
                self.disarm(service)
            elif process.running is not None and _has_ended(process):
                process.running = None
            process.start()
        for service in SERVICES:
            self.stage.process(service).wait_ready()

    # --- servers -----------------------------------------------------------------------------------------------------

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """SIGSTOP: it holds what it has, and does nothing."""
        running = self.stage.process(service).running
        assert running is not None
        running.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            running.send_signal(signal.SIGCONT)

    def waiting_for_consumers(self) -> int:
        """How many deliveries wait in all queues."""
        queues = [REPLIES_QUEUE, *(commands_queue(service) for service in SERVICES if service != "shop_manager")]
        return sum(self.stage.depth(queue) for queue in queues)

    def kill_connections(self, service: str) -> int:
        """PostgreSQL ends every connection of the service; returns how many there were."""
        own = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        own += " AND pid <> pg_backend_pid()) AS ended"
        database = self.stage.database(service)
        with database.engine.connect() as connection:
            return int(connection.execute(text(own), {"name": database.engine.url.database}).scalar_one())

    def close(self) -> None:
        self.heal()
        self.stage.close()
        for road in self.roads.values():
            road.end()


def _has_ended(process: Process) -> bool:
    running: subprocess.Popen[bytes] | None = process.running
    return running is None or running.poll() is not None


def _is_up(process: Process) -> bool:
    try:
        return httpx.get(f"{process.url}/health/ready", trust_env=False, timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False


def _with_count(failpoint: str) -> str:
    return failpoint if ":" in failpoint else f"{failpoint}:1"

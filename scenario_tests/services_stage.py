"""The services stage: five processes of `clerk serve`, as in a real deployment, on RabbitMQ and PostgreSQL."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from clerk_cli import services
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.databases import open_one
from messaging.database import Database
from messaging.migrations import migrate
from scenario_tests.broker_hand import BrokerHand
from scenario_tests.servers import Servers
from scenario_tests.servers.ports import free_ports
from scenario_tests.servers.processes import on_record, pid_file_beside
from scenario_tests.stage import SERVICES, SETTINGS, Keys
from scenario_tests.traffic import Traffic
from scenario_tests.waiting import until

READY_LIMIT = 60.0
STOP_LIMIT = 20.0
"""Seconds, several times what a service may take: the tests share their machine."""
TREE = Path(__file__).parents[1]
"""Of this version's source."""
Adapt = Callable[[str, dict[str, str]], dict[str, str]]
"""(service, its environment) → the environment it is to have instead."""


@dataclass
class Process:
    """One `clerk serve …`. It may be stopped and started any number of times, on the same port."""

    service: str
    port: int
    environment: dict[str, str]
    log: Path
    pid_file: Path | None = None
    """Where its pid is on record for the watcher of our servers, which ends it should we be killed ourselves."""
    tree: Path = TREE
    """From which source it runs, from the next start on."""
    running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if self.running is not None:
            return
        command = [sys.executable, "-m", "clerk_cli", "serve", self.service, "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                on_record(self.pid_file, command), env=self.environment, cwd=self.tree, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        until(self._is_ready, lambda: f"{self.service} is ready; its log ends:\n{self.log_end()}", READY_LIMIT)

    def _is_ready(self) -> bool:
        assert self.running is None or self.running.poll() is None, f"{self.service} has ended:\n{self.log_end()}"
        try:
            return httpx.get(f"{self.url}/health/ready", trust_env=False, timeout=5.0).status_code == 200
        except httpx.TransportError:
            return False

    def end(self, number: signal.Signals) -> None:
        """Send the signal and wait until it is gone."""
        if self.running is not None:
            self.running.send_signal(number)
            self.running.wait(STOP_LIMIT)
            self.running = None
            if self.pid_file is not None:
                self.pid_file.unlink(missing_ok=True)

    def log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


class ServicesStage:
    """A `Stage` (stage.py). `adapt`: what the processes' environment is to be, where a test wants it otherwise.

    `tree`: the source of the version on which all begin. A second ShopManager is always of this version.
    """

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        adapt: Adapt = lambda _service, environment: environment,
        tree: Path = TREE,
    ) -> None:
        self._servers = servers
        self._folder = folder
        self._adapt = adapt
        mark = secrets.token_hex(4)
        self._broker_url = servers.broker.new_vhost(f"stage_{mark}") if servers.broker.available else servers.broker_url
        self._template = servers.fresh_databases(f"stage_{mark}_")
        self._hand = BrokerHand(self._broker_url)
        self._hand.purge()
        self._databases = {service.name: open_one(service, self._template) for service in services.SERVICES}
        self.migrate(tree)
        self.keys = self._admit()
        self._processes = {name: self._process(name, name) for name in SERVICES}
        for process in self._processes.values():
            process.tree = tree
            process.start()
        for process in self._processes.values():
            process.wait_ready()

    def migrate(self, tree: Path = TREE) -> None:
        """All five databases, to what the version in this tree needs."""
        if tree == TREE:
            for service in services.SERVICES:
                migrate(self._databases[service.name], service.package)
        else:
            command = [sys.executable, "-m", "clerk_cli", "migrate", "--database", self._template]
            subprocess.run(command, cwd=tree, check=True, stdout=subprocess.DEVNULL, timeout=READY_LIMIT)

    def _admit(self) -> Keys:
        credentials = new_credentials()
        admit(credentials, {service: self._databases[service.name] for service in services.SERVICES})
        return Keys(credentials.server_key, credentials.warehouse_key, credentials.operator_key)

    def _process(self, service: str, called: str) -> Process:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
        environment |= SETTINGS | {"CLERK_DATABASE_URL": self._template, "CLERK_BROKER_URL": self._broker_url}
        port = free_ports(1)[0]
        log, pid_file = self._folder / f"{called}.log", self._pid_file(f"{called}_{port}")
        return Process(service, port, self._adapt(service, environment), log, pid_file)

    def _pid_file(self, name: str) -> Path | None:
        """None where the servers are somebody else's, and nobody watches."""
        return None if self._servers.state_file is None else pid_file_beside(self._servers.state_file, name)

    def process(self, service: str) -> Process:
        """The service's process itself; a change of its environment counts from the next start on."""
        return self._processes[service]

    def door(self, service: str) -> str:
        return self._processes[service].url

    def database(self, service: str) -> Database:
        return self._databases[service]

    def traffic(self) -> AbstractContextManager[Traffic]:
        return self._hand.tapped()

    def put(self, queue: str, body: bytes) -> None:
        self._hand.put(queue, body)

    def depth(self, queue: str) -> int:
        return self._hand.depth(queue)

    def stop(self, service: str) -> None:
        self._processes[service].end(signal.SIGTERM)

    def kill(self, service: str) -> None:
        self._processes[service].end(signal.SIGKILL)

    def start(self, service: str) -> None:
        self._processes[service].start()
        self._processes[service].wait_ready()

    def stop_broker(self) -> None:
        self._servers.broker.stop()

    def kill_broker(self) -> None:
        self._servers.broker.kill()

    def start_broker(self) -> None:
        self._servers.broker.start()
        for process in self._processes.values():
            process.wait_ready()

    @contextmanager
    def another_manager(self) -> Iterator[str]:
        with self.more_managers(1) as [process]:
            yield process.url

    @contextmanager
    def more_managers(self, many: int) -> Iterator[list[Process]]:
        """So many beside the first; they have all ended when the block has."""
        managers = [self._process("shop_manager", f"shop_manager_{number}") for number in range(2, many + 2)]
        try:
            for process in managers:
                process.start()
            for process in managers:
                process.wait_ready()
            yield managers
        finally:
            for process in managers:
                process.end(signal.SIGTERM)

    def close(self) -> None:
        for process in self._processes.values():
            process.end(signal.SIGTERM)
        for database in self._databases.values():
            database.close()

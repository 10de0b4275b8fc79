"""Where faults are injected: the services harness, with TCP proxies before its servers and failpoints."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pika
import pika.exceptions
from sqlalchemy import text

from messaging.broker import REPLIES_QUEUE, commands_queue
from messaging.failpoints import read_failpoint
from messaging.rabbitmq.topology import QUEUES, Queue
from messaging.tests.tcp_proxy import TcpProxy
from scenario_tests.harness import SERVICES
from scenario_tests.rabbit_driver import channel_on
from scenario_tests.servers import Servers
from scenario_tests.servers.postgres import PostgresCluster
from scenario_tests.servers.rabbit import RabbitNode
from scenario_tests.services_harness import TREE, ServiceProcess, ServicesHarness
from scenario_tests.waiting import until

ServerKind = Literal["broker", "database"]
SERVERS: tuple[ServerKind, ...] = ("broker", "database")
PATIENT = {"CLERK_STEP_LIMIT_FACTOR": "1", "CLERK_GRACE": "4"}
"""A step may take a minute here: no injected fault lasts so long, so every order ends as its customer expects."""
_VARIABLES: dict[ServerKind, str] = {"broker": "CLERK_BROKER_URL", "database": "CLERK_DATABASE_URL"}
_LIMIT = 30.0


class Environment:
    """The five processes, the proxies between each and its servers, and the servers themselves.

    `tree`: the source of the version that they run; this one's, unless a test wants an older one.
    """

    def __init__(self, servers: Servers, folder: Path, tree: Path = TREE) -> None:
        if not isinstance(servers.broker, RabbitNode) or not isinstance(servers.postgres, PostgresCluster):
            raise TypeError("the servers must be ours: faults stop them")
        self.servers = servers
        self.broker = servers.broker
        self.postgres = servers.postgres
        self._folder = folder
        self.proxies: dict[tuple[str, ServerKind], TcpProxy] = {}
        self.database_url = ""
        """The template of the five databases, past all proxies."""
        self.harness = ServicesHarness(servers, folder, self._through_proxies, tree)

    def _through_proxies(self, service: str, variables: dict[str, str]) -> dict[str, str]:
        """The variables of a service, leading through our proxies; a second process of it shares those of the first."""
        self.database_url = variables[_VARIABLES["database"]]
        for server in SERVERS:
            variable = _VARIABLES[server]
            proxy = self.proxies.setdefault((service, server), TcpProxy(variables[variable]))
            variables[variable] = proxy.url
        return variables | PATIENT

    def proxy(self, service: str, server: ServerKind) -> TcpProxy:
        return self.proxies[service, server]

    def all_proxies(self, server: ServerKind) -> list[TcpProxy]:
        return [proxy for (_, leads_to), proxy in self.proxies.items() if leads_to == server]

    def heal(self) -> None:
        for proxy in self.proxies.values():
            proxy.heal()

    # --- processes ---------------------------------------------------------------------------------------------------

    def arm(self, service: str, failpoint: str) -> None:
        """Kill it, and start it so that it dies at this point; it may be dead again already when we return."""
        process = self.harness.process(service)
        process.end(signal.SIGKILL)
        process.variables["CLERK_FAILPOINT"] = failpoint
        process.start()
        until(lambda: _has_ended(process) or process.is_ready(), f"{service} is armed", _LIMIT)

    def dies(self, service: str, failpoint: str, limit: float = _LIMIT) -> None:
        """Wait until it has died, of that point and of nothing else."""
        process = self.harness.process(service)
        until(lambda: _has_ended(process), lambda: f"{service} dies at {failpoint}\n{process.log_tail()}", limit)
        assert process.running is not None
        assert process.running.returncode == -signal.SIGKILL, process.log_tail()
        assert f"failpoint {read_failpoint(failpoint)} reached, killed" in process.log_tail(), process.log_tail()
        process.running = None

    def disarm(self, service: str) -> None:
        self.harness.process(service).variables.pop("CLERK_FAILPOINT", None)

    def restart(self, service: str) -> None:
        """In good order, with the variables that its process has now."""
        self.harness.stop(service)
        self.harness.start(service)

    def mend(self) -> None:
        """Repair whatever a test left broken: the next one finds all five running."""
        self.heal()
        self._mend_servers()
        for service in SERVICES:
            process = self.harness.process(service)
            if "CLERK_FAILPOINT" in process.variables:
                process.end(signal.SIGKILL)
                self.disarm(service)
            elif process.running is not None and _has_ended(process):
                process.running = None
            process.start()
        for service in SERVICES:
            self.harness.process(service).wait_ready()

    # --- servers -----------------------------------------------------------------------------------------------------

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """SIGSTOP: it keeps its connections and deliveries, and does nothing."""
        running = self.harness.process(service).running
        assert running is not None
        running.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            running.send_signal(signal.SIGCONT)

    def checks(self, service: str) -> dict[str, dict[str, Any]]:
        """What its readiness is made of, each with `ok` and `detail`; empty when nobody answers."""
        try:
            answer = httpx.get(f"{self.harness.url_of(service)}/health/ready", trust_env=False, timeout=5.0)
        except httpx.TransportError:
            return {}
        return dict(answer.json()["checks"])

    def all_ready(self) -> None:
        """Wait until all five say that they are."""
        for service in SERVICES:
            self.harness.process(service).wait_ready()

    def times_said(self, service: str, words: str) -> int:
        """How often its log has these words."""
        return self.harness.process(service).log.read_text(errors="replace").count(words)

    def times_broker_said(self, words: str) -> int:
        return (self.broker.folder / "rabbitmq.log").read_text(errors="replace").count(words)

    def unsent(self, service: str) -> int:
        """How many deliveries wait in its outbox."""
        with self.harness.database(service).read() as tx:
            return int(tx.execute(text("SELECT count(*) FROM outbox")).scalar_one())

    @property
    def vhost(self) -> str:
        return self.harness.broker.vhost

    def channel(self) -> AbstractContextManager[Any]:
        return channel_on(self.harness.broker.admin_url)

    def bring_back(self, queue: Queue) -> None:
        """The queue is there and bound as it should be; one with other arguments goes, with all that is in it."""
        with self.channel() as channel:
            try:
                _declare(channel, queue)
            except pika.exceptions.ChannelClosedByBroker:
                another = channel.connection.channel()
                another.queue_delete(queue.name)
                _declare(another, queue)

    def _mend_servers(self) -> None:
        self.broker.resume()
        if not self.broker.running:
            self.broker.start()
        for queue in QUEUES:
            self.bring_back(queue)
        if not self.postgres.running:
            self.postgres.start()

    def waiting_for_consumers(self) -> int:
        """How many deliveries wait in all queues."""
        queues = [REPLIES_QUEUE, *(commands_queue(service) for service in SERVICES if service != "shop_manager")]
        return sum(self.harness.depth(queue) for queue in queues)

    def in_hands(self, queue: str) -> int:
        """How many of a queue's deliveries were handed out and are not acknowledged."""
        told = self.broker.ctl("list_queues", "-p", self.vhost, "--no-table-headers", "name", "messages_unacknowledged")
        counts = dict(line.split() for line in told.splitlines())
        return int(counts[queue])

    def backends(self, service: str) -> list[int]:
        """The pids of PostgreSQL's processes for the service's connections, those that are at work first."""
        ports = self.proxy(service, "database").ports
        own = "SELECT pid FROM pg_stat_activity WHERE client_port = ANY(:ports) ORDER BY state = 'idle', pid"
        with self.harness.database(service).read() as tx:
            return [int(row[0]) for row in tx.execute(text(own), {"ports": ports})]

    def back_up(self, service: str) -> Path:
        """A backup of its database as it is now: the file."""
        return self.postgres.dump(self._name(service), self._folder / f"{service}.backup")

    def restore(self, service: str, backup: Path) -> None:
        """The database as it was then, in place of what it is. Its process must not run."""
        self.harness.database(service).engine.dispose()
        self.postgres.restore(self._name(service), backup)

    def _name(self, service: str) -> str:
        return str(self.harness.database(service).engine.url.database)

    def end_backends(self, service: str, most: int | None = None) -> int:
        """PostgreSQL ends the service's connections, or so many of them; returns how many there were."""
        pids = self.backends(service)[:most]
        with self.harness.database(service).read() as tx:
            end = text("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM unnest(:pids) AS pid) AS ended")
            return int(tx.execute(end, {"pids": pids}).scalar_one())

    def close(self) -> None:
        self.heal()
        self.harness.close()
        for proxy in self.proxies.values():
            proxy.close()


def _declare(channel: Any, queue: Queue) -> None:
    channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
    channel.queue_bind(queue.name, queue.exchange, queue.pattern)


def _has_ended(process: ServiceProcess) -> bool:
    running: subprocess.Popen[bytes] | None = process.running
    return running is None or running.poll() is not None

"""The services harness: five processes of `clerk serve`, as in a real deployment, on RabbitMQ and PostgreSQL."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import httpx

from clerk_cli import services
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.databases import open_one
from http_api.keys import KeyRing
from http_api.operators import Operators, hash_of
from messaging.database import Database
from messaging.migrations import migrate
from scenario_tests.harness import SERVICES, SETTINGS, ApiKeys
from scenario_tests.rabbit_driver import RabbitDriver
from scenario_tests.servers import Servers
from scenario_tests.servers.ports import free_ports
from scenario_tests.servers.processes import pid_file_beside, recording_pid
from scenario_tests.shop_broker import ShopBroker
from scenario_tests.traffic import Traffic
from scenario_tests.waiting import until

READY_LIMIT = 180.0
STOP_LIMIT = 60.0
"""Seconds, many times what a service may take: the tests share their machine, and start many services at once."""
TREE = Path(__file__).parents[1]
"""Where the source of this version is."""
Adapt = Callable[[str, dict[str, str]], dict[str, str]]
"""(service, its environment variables) → those that it is to have instead."""


@dataclass
class ServiceProcess:
    """One `clerk serve …`. It may be stopped and started any number of times, on the same port."""

    service: str
    port: int
    variables: dict[str, str]
    """Its environment variables, from the next start on."""
    log: Path
    pid_file: Path | None = None
    """Where its pid is written for the watcher of our servers, which ends the process if the tests are killed."""
    tree: Path = TREE
    """The source from which it runs, from the next start on."""
    running: subprocess.Popen[bytes] | None = None
    only: str | None = None
    """Which part of ShopManager it is, from the next start on; None: the whole."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_down(self) -> bool:
        return self.running is None or self.running.poll() is not None

    def start(self) -> None:
        if not self.is_down:
            return
        command = [sys.executable, "-m", "clerk_cli", "serve", self.service, "--port", str(self.port)]
        command += ["--only", self.only] if self.only else []
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                recording_pid(self.pid_file, command), env=self.variables, cwd=self.tree, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        until(self._has_become_ready, lambda: f"{self.service} is ready; its log ends:\n{self.log_tail()}", READY_LIMIT)

    def _has_become_ready(self) -> bool:
        assert self.running is None or self.running.poll() is None, f"{self.service} has ended:\n{self.log_tail()}"
        return self.is_ready()

    def is_ready(self) -> bool:
        """Whether it answers now that it is ready."""
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

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


class ServicesHarness:
    """A `Harness` (harness.py). `adapt` changes the environment variables of the processes, where a test wants others.

    `tree`: the source of the version on which all begin. A second ShopManager is always of this version.
    """

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        adapt: Adapt = lambda _service, variables: variables,
        tree: Path = TREE,
    ) -> None:
        self._servers = servers
        self._folder = folder
        self._adapt = adapt
        self.for_managers: dict[str, str] = {}
        """Environment variables that every further ShopManager has."""
        suffix = secrets.token_hex(4)
        self.broker = ShopBroker(servers, suffix, shared=tree != TREE)  # before it had users each, it had one
        self.knows_senders = self.broker.knows_senders
        self._template = servers.fresh_databases(f"test_{suffix}_")
        self._driver = RabbitDriver(self.broker.admin_url)
        self._driver.purge()
        self._databases = {service.name: open_one(service, self._template) for service in services.SERVICES}
        self.migrate(tree)
        self.keys = self._admit() if tree == TREE else self._admit_as(tree)
        self._manager_port = free_ports(1)[0]
        self._processes = {name: self._process(name, name) for name in SERVICES}
        self._passes_on(self._processes["shop_manager"])
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

    def _admit(self) -> ApiKeys:
        credentials = new_credentials()
        admit(credentials, {service: self._databases[service.name] for service in services.SERVICES})
        return ApiKeys(credentials.server_key, credentials.warehouse_key, credentials.operator_key)

    def _admit_as(self, tree: Path) -> ApiKeys:
        """As the version in this tree does: its tables are other ones."""

        def key(*arguments: str) -> str:
            command = [sys.executable, "-m", "clerk_cli", *arguments, "--database", self._template, "--json"]
            variables = {**os.environ, "CLERK_DEVELOPMENT": "yes"}  # the database's password may be a weak one
            done = subprocess.run(
                command, cwd=tree, env=variables, check=True, stdout=subprocess.PIPE, timeout=READY_LIMIT
            )
            return str(json.loads(done.stdout)["key"])

        server, warehouse = (key("key", "create", "--scope", scope) for scope in ("server", "warehouse"))
        operator = key("operator", "add", "admin", "--role", "admin")
        self._choose_password("admin")
        return ApiKeys(server, warehouse, operator)

    def _choose_password(self, name: str) -> None:
        """As on the dashboard: until then the key beside a first password opens nothing."""
        database = self._databases["shop_manager"]
        with database.begin() as tx:
            Operators(KeyRing(database)).change_password_within(tx, name, hash_of(secrets.token_urlsafe(18)))

    def _process(self, service: str, called: str) -> ServiceProcess:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
        variables |= SETTINGS | {"CLERK_DATABASE_URL": self._template} | self.broker.variables(service)
        variables |= self.for_managers if service == "shop_manager" else {}
        variables["CLERK_DEVELOPMENT"] = "yes"  # the broker's user may be guest
        variables["CLERK_SHOP_MANAGER_URL"] = f"http://127.0.0.1:{self._manager_port}"
        port = self._manager_port if called == "shop_manager" else free_ports(1)[0]
        log, pid_file = self._folder / f"{called}.log", self._pid_file(f"{called}_{port}")
        return ServiceProcess(service, port, self._adapt(service, variables), log, pid_file)

    def _passes_on(self, manager: ServiceProcess) -> None:
        """This ShopManager is the gateway to the other services too."""
        others = {name: process for name, process in self._processes.items() if name != "shop_manager"}
        manager.variables |= {f"CLERK_{name.upper()}_URL": process.url for name, process in others.items()}

    def _pid_file(self, name: str) -> Path | None:
        """None where the servers are not ours: then there is no watcher."""
        return None if self._servers.state_file is None else pid_file_beside(self._servers.state_file, name)

    def process(self, service: str) -> ServiceProcess:
        """The service's process itself; a change of its variables counts from the next start on."""
        return self._processes[service]

    def url_of(self, service: str) -> str:
        return self._processes[service].url

    def database(self, service: str) -> Database:
        return self._databases[service]

    def traffic(self) -> AbstractContextManager[Traffic]:
        return self._driver.tapped()

    def put(self, queue: str, body: bytes, sender: str | None) -> None:
        self._driver.put(queue, body, self.broker.user_named(sender))

    def depth(self, queue: str) -> int:
        return self._driver.depth(queue)

    def stop(self, service: str) -> None:
        self._processes[service].end(signal.SIGTERM)

    def kill(self, service: str) -> None:
        self._processes[service].end(signal.SIGKILL)

    def start(self, service: str) -> None:
        self._processes[service].start()
        self._processes[service].wait_ready()

    def recover(self) -> None:
        for service in [name for name, process in self._processes.items() if process.is_down]:
            self.start(service)

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
    def more_managers(self, many: int, only: Sequence[str | None] = ()) -> Iterator[list[ServiceProcess]]:
        """So many beside the first; they have all ended when the block has. `only`: which part each of them is."""
        managers = [self._process("shop_manager", f"shop_manager_{number}") for number in range(2, many + 2)]
        try:
            for process, part in zip_longest(managers, only):
                process.only = part
                self._passes_on(process)
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

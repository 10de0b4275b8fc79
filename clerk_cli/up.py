"""`clerk up`: the whole shop in one process, for trying things out and for development."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from clerk_cli import brokers, logs
from clerk_cli.brokers import Connect
from clerk_cli.composition_root import Running, application, compose
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.data_folder import CREDENTIALS, keep_address, keep_credentials, locked, read_credentials
from clerk_cli.databases import database_errors_reported, files_in, opened
from clerk_cli.errors import CliError
from clerk_cli.faults.api import faults_router
from clerk_cli.faults.known_commands import KnownCommands
from clerk_cli.faults.switchboard import Switchboard
from clerk_cli.faults.transport import FaultyTransports
from clerk_cli.faults.worker import make_faulty
from clerk_cli.file_limit import room_for_connections
from clerk_cli.garbage import frozen_objects
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.loopback import is_loopback
from clerk_cli.migrate import migrate_one
from clerk_cli.readiness import reason_not_ready
from clerk_cli.services import SERVICES, Service
from clerk_cli.settings_read import read_settings, url_of_flag
from clerk_cli.stopping import asked_to_stop
from clerk_cli.weak_settings import make_owners_only, warn, weak_env_file
from messaging.database import Database
from messaging.senders import BY_NAME, Senders
from messaging.server_urls import mask_url
from shop_manager.processes import discover

if TYPE_CHECKING:
    from fastapi import APIRouter

    from messaging.participant import Participant

POOL = 5
"""Database connections of each of the five; PostgreSQL allows a hundred in all."""
READY_WITHIN = 10.0
TRIALS_ONLY = "`clerk up` is for trials, see `clerk serve` for real customers"
FILLED_BY = {"shop_manager": "demo", "shop": "seed_data", "fulfillment": "seed_data"}
"""Which module of a service has the function `fill(tx)`, which puts its part of the demo shop into empty tables."""


@dataclass(frozen=True, slots=True)
class UpFlags:
    """The flags of `clerk up`. `settings`, by service, win over the environment."""

    host: str
    port: int
    data: Path
    warehouse: str
    broker: str | None
    database: str | None
    faults: bool
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningShop:
    """A shop that is ready, and where it listens."""

    running: Running
    url: str


def run_up(flags: UpFlags) -> None:
    """Returns when it was asked to stop and everything in hand is finished; CliError when it cannot run."""
    with run_shop(flags) as shop:
        if shop is not None:
            _print_addresses(flags, shop.url)
            while not asked_to_stop(within=0.5):
                shop.running.check()


@contextmanager
def run_shop(flags: UpFlags) -> Iterator[RunningShop | None]:
    """The whole shop, ready until the block ends; None when it was asked to stop before it was ready.

    Call it once in a process. Raises CliError when it cannot run.
    """
    if flags.faults and not is_loopback(flags.host):
        raise CliError(f"--faults is for development only: host is {flags.host!r}, allowed are 127.0.0.1 and localhost")
    os.umask(0o077)  # customers' data and key hashes are nobody else's business
    logs.configure(as_json=False, level=logging.WARNING, service="clerk up")
    broker = _broker(flags)
    faulty = FaultyTransports(broker, Switchboard()) if flags.faults else None
    connect = faulty.connect if faulty else broker
    template = files_in(flags.data) if flags.database is None else url_of_flag(SERVICES[0], "database", flags.database)
    with (
        locked(flags.data),
        opened(dict.fromkeys(SERVICES, template), POOL, _settings(SERVICES[0], flags).sqlite_sync) as databases,
        bind(flags.host, flags.port) as bound,
    ):
        url = url_of(flags.host, bound)
        _warn(flags)
        make_owners_only(flags.data)
        _prepare(flags.data, databases)
        settings = {service: _settings(service, flags) for service in SERVICES}
        composed = {
            service: compose(service, settings[service], databases[service], connect, _senders(flags))
            for service in SERVICES
        }
        participants = [participant for participant, _ in composed.values()]
        routers = [router for _, its_routers in composed.values() for router in its_routers]
        if faulty:
            routers.append(_switchboard(participants, faulty))
        home: Any = settings[SERVICES[0]]
        app = application(
            "Shop Clerk",
            routers,
            databases[SERVICES[0]],
            participants,
            public=home.public_address(),
            behind_proxy=home.behind_proxy,
            origins=home.origins(),
        )
        room = _room(flags, databases.values())
        server = HttpServer(app, bound, trusts_forwarded_headers=home.behind_proxy, connections=room)
        with Running(participants, server) as running:
            running.start_participants()
            running.server.start()
            ready = _ready(running)
            if ready:
                keep_address(flags.data, url)
            with frozen_objects():
                yield RunningShop(running, url) if ready else None


def _switchboard(participants: Sequence[Participant], faulty: FaultyTransports) -> APIRouter:
    """Make every participant faulty; returns the routes with which faults are put in force."""
    known = KnownCommands(discover())
    for participant in participants:
        make_faulty(participant, faulty.of[participant.name], faulty.board, known)
    return faults_router(faulty.board, known, faulty.send_raw)


def _broker(flags: UpFlags) -> Connect:
    if flags.broker is None:
        return brokers.in_memory()
    url = url_of_flag(SERVICES[0], "broker", flags.broker)
    connect = brokers.rabbitmq(url, declares=True)
    brokers.check_reachable(url)
    return connect


def _senders(flags: UpFlags) -> Senders:
    """In one process all five are logged in as the one user of --broker; in memory each as itself."""
    return BY_NAME if flags.broker is None else brokers.all_as_one(flags.broker)


def _warn(flags: UpFlags) -> None:
    """Say what nobody should do who has real customers; for a trial it may pass."""
    for weakness in weak_env_file():
        warn(weakness)
    if not is_loopback(flags.host):
        warn(f"--host {flags.host} lets everybody in who reaches this machine, without TLS: {TRIALS_ONLY}")


def _prepare(data: Path, databases: Mapping[Service, Database]) -> None:
    """Migrate, fill with the demo shop what is empty, and admit the credentials: each may be repeated at any time."""
    for service, database in databases.items():
        migrate_one(service, database)
        with database_errors_reported(service):
            fill_with_demo_shop(service, database)
    credentials = read_credentials(data)
    if credentials is None:
        credentials = new_credentials()
        keep_credentials(data, credentials)
    admit(credentials, databases)


def fill_with_demo_shop(service: Service, database: Database) -> None:
    """Put the service's part of the demo shop into its tables, where they are still empty."""
    module = FILLED_BY.get(service.name)
    if module is not None:
        with database.begin() as tx:
            service.module(module).fill(tx)


def _settings(service: Service, flags: UpFlags) -> Any:
    given = {"warehouse": flags.warehouse} if service.name == "fulfillment" else {}
    return read_settings(service, **given, **flags.settings.get(service.name, {}))


def _room(flags: UpFlags, databases: Iterable[Database]) -> int:
    """How many connections there may be: those wanted, unless the limit of open files allows fewer."""
    wanted = _settings(SERVICES[0], flags).connections
    return room_for_connections(wanted, sum(database.files for database in databases))


def _ready(running: Running) -> bool:
    """Wait until everything is ready; False when we were asked to stop before, CliError when it takes too long."""
    until = monotonic() + READY_WITHIN
    while reason := reason_not_ready(running.participants):
        running.check()
        if monotonic() > until:
            raise CliError(f"not ready after {READY_WITHIN:.0f} seconds: {reason}")
        if asked_to_stop(within=0.02):
            return False
    return True


def _print_addresses(flags: UpFlags, url: str) -> None:
    addresses = {
        "dashboard": f"{url}/dashboard",
        "API": f"{url}/shop/products",
        "docs": f"{url}/docs",
        "data": str(flags.data),
        "credentials": str(flags.data / CREDENTIALS),
    }
    if not is_loopback(flags.host):
        addresses["open to"] = f"everybody who reaches this machine: {TRIALS_ONLY}"
    if flags.faults:
        addresses["faults"] = f"{url}/dev/faults"
    if flags.database is not None:
        addresses["database"] = mask_url(flags.database)
    if flags.broker is not None:
        addresses["broker"] = mask_url(flags.broker)
    print("Shop Clerk, everything in one process. Ctrl-C stops it.\n")
    for name, address in addresses.items():
        print(f"  {name:12} {address}")
    print(f"\nready {url}", flush=True)

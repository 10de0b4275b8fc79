"""`clerk up`: the whole shop in one process, for trying things out and for development."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from clerk_cli import brokers, logs
from clerk_cli.api_faults import faults_router
from clerk_cli.assembly import Connect, assemble
from clerk_cli.credentials import admit, new_credentials
from clerk_cli.data_folder import CREDENTIALS, held, keep_address, keep_credentials, read_credentials
from clerk_cli.databases import files_in, opened, trouble_of
from clerk_cli.errors import Trouble
from clerk_cli.faults import Switchboard
from clerk_cli.faults_known import Known
from clerk_cli.faults_worker import make_faulty
from clerk_cli.faulty_link import FaultyLinks
from clerk_cli.http_server import HttpServer, bind, url_of
from clerk_cli.loopback import is_loopback
from clerk_cli.migrate import migrate_one
from clerk_cli.readiness import trouble
from clerk_cli.running import Running, application
from clerk_cli.secrets_hidden import mask_url
from clerk_cli.services import SERVICES, Service
from clerk_cli.settings_read import read_settings
from clerk_cli.stopping import asked_to_stop
from messaging.database import Database
from shop_manager.processes import discover

if TYPE_CHECKING:
    from fastapi import APIRouter

    from messaging.participant import Participant

POOL = 5
"""Database connections of each of the five; PostgreSQL allows a hundred in all."""
READY_WITHIN = 10.0
FILLED_BY = {"shop_manager": "demo", "shop": "shelf", "fulfillment": "warehouse"}
"""Which module of a service has `fill(tx)`: the demo shop, put where nothing is yet."""


@dataclass(frozen=True, slots=True)
class Wanted:
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
class Up:
    """A shop that is ready, and where it listens."""

    running: Running
    url: str


def run_up(wanted: Wanted) -> None:
    """Returns when somebody asked it to stop and everything in hand is finished; Trouble when it cannot run."""
    with shop_up(wanted) as up:
        if up is not None:
            _tell(wanted, up.url)
            while not asked_to_stop(within=0.5):
                up.running.check()


@contextmanager
def shop_up(wanted: Wanted) -> Iterator[Up | None]:
    """The whole shop, ready until the block ends; None when somebody asked it to stop before it was.

    Call it once in a process: Trouble when it cannot run.
    """
    if wanted.faults and not is_loopback(wanted.host):
        raise Trouble(f"--faults is for development only: host is {wanted.host!r}, allowed are 127.0.0.1 and localhost")
    os.umask(0o077)  # customers' data and key hashes are nobody else's business
    logs.configure(as_json=False, level=logging.WARNING, service="clerk up")
    broker = _broker(wanted)
    faulty = FaultyLinks(broker, Switchboard()) if wanted.faults else None
    connect = faulty.connect if faulty else broker
    template = files_in(wanted.data) if wanted.database is None else wanted.database
    with (
        held(wanted.data),
        opened(dict.fromkeys(SERVICES, template), POOL) as databases,
        bind(wanted.host, wanted.port) as bound,
    ):
        url = url_of(wanted.host, bound)
        _prepare(wanted.data, databases)
        parts = {
            service: assemble(service, _settings(service, wanted), databases[service], connect) for service in SERVICES
        }
        participants = [participant for participant, _ in parts.values()]
        routers = [router for _, its_routers in parts.values() for router in its_routers]
        if faulty:
            routers.append(_switchboard(participants, faulty))
        app = application("Shop Clerk", routers, databases[SERVICES[0]], participants)
        with Running(participants, HttpServer(app, bound)) as running:
            running.start_participants()
            running.server.start()
            ready = _ready(running)
            if ready:
                keep_address(wanted.data, url)
            yield Up(running, url) if ready else None


def _switchboard(participants: Sequence[Participant], faulty: FaultyLinks) -> APIRouter:
    """Faults at every participant, and the door to put them in force."""
    known = Known(discover())
    for participant in participants:
        make_faulty(participant, faulty.of[participant.name], faulty.board, known)
    return faults_router(faulty.board, known, lambda service, body, times: faulty.of[service].publish_raw(body, times))


def _broker(wanted: Wanted) -> Connect:
    if wanted.broker is None:
        return brokers.in_memory()
    connect = brokers.rabbitmq(wanted.broker)
    brokers.check_reachable(wanted.broker)
    return connect


def _prepare(data: Path, databases: Mapping[Service, Database]) -> None:
    """Tables, the demo shop where there is none yet, and the credentials: each may be done again at any time."""
    for service, database in databases.items():
        migrate_one(service, database)
        with trouble_of(service):
            if service.name in FILLED_BY:
                with database.begin() as tx:
                    service.module(FILLED_BY[service.name]).fill(tx)
    credentials = read_credentials(data)
    if credentials is None:
        credentials = new_credentials()
        keep_credentials(data, credentials)
    admit(credentials, databases)


def _settings(service: Service, wanted: Wanted) -> Any:
    given = {"warehouse": wanted.warehouse} if service.name == "fulfillment" else {}
    return read_settings(service, **given, **wanted.settings.get(service.name, {}))


def _ready(running: Running) -> bool:
    """Wait until everything runs; False when we were asked to stop before, Trouble when it takes too long."""
    until = monotonic() + READY_WITHIN
    while reason := trouble(running.participants):
        running.check()
        if monotonic() > until:
            raise Trouble(f"not ready after {READY_WITHIN:.0f} seconds: {reason}")
        if asked_to_stop(within=0.02):
            return False
    return True


def _tell(wanted: Wanted, url: str) -> None:
    places = {
        "dashboard": f"{url}/dashboard",
        "API": f"{url}/shop/products",
        "docs": f"{url}/docs",
        "data": str(wanted.data),
        "credentials": str(wanted.data / CREDENTIALS),
    }
    if wanted.faults:
        places["faults"] = f"{url}/dev/faults"
    if wanted.database is not None:
        places["database"] = mask_url(wanted.database)
    if wanted.broker is not None:
        places["broker"] = mask_url(wanted.broker)
    print("Shop Clerk, everything in one process. Ctrl-C stops it.\n")
    for name, place in places.items():
        print(f"  {name:12} {place}")
    print(f"\nready {url}", flush=True)

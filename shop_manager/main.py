"""ShopManager put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic

from fastapi import APIRouter

from domain.messages import Message
from doors.keys import KeyRing
from doors.operators import Operators
from messaging.broker import Link
from messaging.database import Database, Tx
from messaging.migrations import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.worker import Worker
from shop_manager.api_directory import directory_router
from shop_manager.api_ops import ops_router
from shop_manager.api_ops_acts import ops_acts_router
from shop_manager.api_ops_bulk import ops_bulk_router
from shop_manager.api_ops_people import ops_people_router
from shop_manager.api_sessions import opening_router, session_list_router, sessions_router
from shop_manager.dashboard.router import dashboard_router
from shop_manager.idempotency import forget_old
from shop_manager.manager import Manager
from shop_manager.opening import Opening
from shop_manager.operations import Operations
from shop_manager.operations.tallies import counting
from shop_manager.outages import Outages
from shop_manager.processes import Catalogue
from shop_manager.secrets import ClientSecrets
from shop_manager.sessions import Sessions
from shop_manager.settings import ShopManagerSettings
from shop_manager.store import processes_in_use, schema
from shop_manager.waiting import Watch, versions_in

GAVE_UP = "the broker gave it up: delivered too often"
FORGET_EVERY = 60.0


def build(
    settings: ShopManagerSettings,
    database: Database,
    link: Link,
    dead_link: Link,
    *,
    catalogue: Catalogue | None = None,
) -> tuple[Participant, list[APIRouter]]:
    """The running part and the doors of ShopManager. `dead_link` consumes the dead-letter queue.

    Raises BadProcess or WeakSecret, each with one clear line.
    """
    catalogue = catalogue or Catalogue()
    outbox = Outbox(schema.outbox, database, link)
    outages = Outages(database, link)
    manager = Manager(database, outbox, catalogue, settings.policy(), outages)
    watch = Watch(versions_in(database))
    secrets = ClientSecrets(settings.secret, database)
    sessions = Sessions(manager, watch)
    operations = Operations(sessions)
    manager.on_change = told_to(watch.changed, operations.news.changed)

    def prepare() -> None:
        require_migrated(database, "shop_manager")
        with database.read() as tx:
            catalogue.check_in_use(processes_in_use(tx))
        secrets.prepare()

    participant = Participant(
        "shop_manager",
        database,
        outbox,
        _workers(database, outbox, manager, outages, dead_link),
        prepare,
        ticks=[
            manager.tick,
            now_and_then(lambda: forget_old(database), FORGET_EVERY),
            counting(database),
            operations.bulk_run.tick,
        ],
        on_closing=watch.close,
    )
    return participant, _routers(sessions, Opening(manager, secrets, settings), operations, settings.doors())


def _workers(database: Database, outbox: Outbox, manager: Manager, outages: Outages, dead_link: Link) -> list[Worker]:
    replies = Worker(
        "shop_manager",
        database,
        schema,
        outbox,
        manager.handle,
        before_batch=outages.before_batch,
        after_commit=manager.after_commit,
    )
    graves = Worker("shop_manager", database, schema, outbox, handle_nothing, link=dead_link, park_all=GAVE_UP)
    return [replies, graves]


def handle_nothing(tx: Tx, messages: Sequence[Message]) -> list[Message]:
    """The dead-letter queue's worker parks all that comes: no message reaches its handler."""
    return []


def _routers(sessions: Sessions, opening: Opening, operations: Operations, doors: Mapping[str, str]) -> list[APIRouter]:
    return [
        opening_router(opening),
        session_list_router(sessions),
        sessions_router(sessions),
        directory_router(sessions.manager.database),
        ops_router(operations),
        ops_acts_router(operations),
        ops_bulk_router(operations),
        ops_people_router(operations),
        dashboard_router(operations, Operators(KeyRing(sessions.manager.database)), doors),
    ]


def told_to(*listeners: Callable[[Sequence[str]], None]) -> Callable[[Iterable[str]], None]:
    """Tells each of them which Clerks have changed."""

    def tell(clerks: Iterable[str]) -> None:
        changed = list(clerks)
        for listener in listeners:
            listener(changed)

    return tell


def now_and_then(act: Callable[[], None], every: float) -> Callable[[], None]:
    """A tick that acts at most once in `every` seconds."""
    last = float("-inf")

    def tick() -> None:
        nonlocal last
        if monotonic() - last >= every:
            last = monotonic()
            act()

    return tick

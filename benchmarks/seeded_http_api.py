"""ShopManager's HTTP API over a seeded database, in this process; no worker runs, so nothing changes meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import select, update
from starlette.types import Message, Scope

from clerk_cli.composition_root import application, compose
from clerk_cli.databases import open_one
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from domain.messages import SHOP_MANAGER
from domain.times import days
from http_api.keys import KeyRing
from http_api.operators import Operators
from messaging.database import Database, Tx
from messaging.memory import MemoryBroker
from messaging.migrations import migrate
from messaging.postgres import ALONE
from shop_manager.dashboard.logins import Logins
from shop_manager.engine import store, tables
from shop_manager.operations.tallies import count_lately
from shop_manager.saga.state import Stuck

WITHIN = 120.0
LONG_AGO = days(20)
WHO = "bench"
STEP = "shipping"
columns = tables.clerks.c


class SeededHttpApi:
    """Called as an admin, logged in to the dashboard and with a key; `database` counts the statements."""

    def __init__(self, template: str, stuck: int) -> None:
        service = the_service(SHOP_MANAGER)
        self.database = open_one(service, template)
        participant, routers = compose(service, read_settings(service), self.database, MemoryBroker().transport)
        self._app = application("Shop Clerk", routers, self.database, [participant])
        participant.prepare()
        people = Operators(KeyRing(self.database))
        _password, key = people.add_operator(WHO, "admin")
        operator = people.find(WHO)
        if operator is None:
            raise RuntimeError(f"operator {WHO} was just added, and is not there")
        login = Logins(people).begin(operator, None)
        self._headers = {"authorization": f"Bearer {key}", "cookie": f"clerk_login={login.token}"}
        prepare(self.database, stuck)

    async def ask(self, target: str) -> bytes:
        """The whole response body; of an event stream its first event. RuntimeError when it is refused."""
        body = bytearray()
        status: list[int] = []
        asked, left = asyncio.Event(), asyncio.Event()

        async def receive() -> Message:
            if not asked.is_set():
                asked.set()
                return {"type": "http.request", "body": b"", "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            body.extend(message.get("body", b""))
            if b"data: " in body[:200_000]:
                left.set()

        await asyncio.wait_for(self._app(self._scope(target), receive, send), WITHIN)
        if status not in ([200], [303]):
            raise RuntimeError(f"{target} was answered with {status}: {bytes(body[:500])!r}")
        return bytes(body)

    def _scope(self, target: str) -> Scope:
        path, _, query = target.partition("?")
        headers = {"host": "bench.test", **self._headers}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 4711),
            "server": ("bench.test", 80),
        }


def prepare(database: Database, stuck: int) -> None:
    """Bring the database into the state of a shop that has run for a while: figures counted, some Clerks stuck."""
    migrate(database, "shop_manager")
    while not count_lately(database):
        pass
    with database.begin() as tx:
        if tx.execute(select(columns.id).where(columns.stuck_kind.isnot(None)).limit(1)).first() is None:
            make_stuck(tx, stuck)
    if database.dialect == "postgresql":
        with database.engine.connect() as connection:  # as autovacuum would have done it by then
            connection.execution_options(**{ALONE: True}).exec_driver_sql("VACUUM ANALYZE")


def make_stuck(tx: Tx, count: int) -> None:
    """Make `count` of the Clerks that wait for the warehouse stuck, as ShopManager itself would store them.

    They were opened long ago, before most of the ended ones, as stuck Clerks are in a real shop.
    """
    now = tx.now()
    waiting = select(columns.id).where(columns.step == STEP, columns.wake_at > 0).limit(count)
    held = store.read(tx, [row.id for row in tx.execute(waiting)])
    stuck = Stuck("no_answer", now, STEP, "fulfillment", "no_answer", "asked eight times, and never answered")
    changes = [(replace(each.saga, stuck=stuck), each.revision, each.digest) for each in held.values()]
    store.write(tx, changes, [])
    long_ago = update(tables.clerks).where(columns.stuck_kind.isnot(None))
    tx.execute(long_ago.values(opened_at=columns.opened_at - LONG_AGO))

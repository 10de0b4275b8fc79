"""ShopManager's doors over a seeded database, in this process; nothing runs behind them, so nothing changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import select, update
from starlette.types import Message, Scope

from clerk_cli.assembly import assemble
from clerk_cli.databases import open_one
from clerk_cli.running import application
from clerk_cli.services import the_service
from clerk_cli.settings_read import read_settings
from domain.messages import SHOP_MANAGER
from domain.times import days
from doors.keys import KeyRing
from doors.operators import Operators
from messaging.database import Database, Tx
from messaging.memory import MemoryBroker
from messaging.migrations import migrate
from shop_manager import store
from shop_manager.dashboard.logins import Logins
from shop_manager.operations.tallies import count_lately
from shop_manager.saga import Stuck

WITHIN = 120.0
LONG_AGO = days(20)
WHO = "bench"
STEP = "shipping"
columns = store.clerks.c


class SeededDoors:
    """One whose dashboard is open to an admin; `database` counts its statements."""

    def __init__(self, template: str, stuck: int) -> None:
        service = the_service(SHOP_MANAGER)
        self.database = open_one(service, template)
        participant, routers = assemble(service, read_settings(service), self.database, MemoryBroker().link)
        self._app = application("Shop Clerk", routers, self.database, [participant])
        people = Operators(KeyRing(self.database))
        password, key = people.add_operator(WHO, "admin")
        login = Logins(people).begin(WHO, password, None)
        self._headers = {"authorization": f"Bearer {key}", "cookie": f"clerk_login={login.token if login else ''}"}
        prepare(self.database, stuck)

    async def ask(self, target: str) -> bytes:
        """The whole answer; of a stream what it has told first. RuntimeError when it is refused."""
        told = bytearray()
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
            told.extend(message.get("body", b""))
            if b"data: " in told[:200_000]:
                left.set()

        await asyncio.wait_for(self._app(self._scope(target), receive, send), WITHIN)
        if status not in ([200], [303]):
            raise RuntimeError(f"{target} was answered with {status}: {bytes(told[:500])!r}")
        return bytes(told)

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
    """What a shop that has run for a while has: figures counted, statistics gathered, and some Clerks stuck."""
    migrate(database, "shop_manager")
    while not count_lately(database):
        pass
    with database.begin() as tx:
        if tx.execute(select(columns.id).where(columns.stuck_kind.isnot(None)).limit(1)).first() is None:
            make_stuck(tx, stuck)
    if database.dialect == "postgresql":
        with database.engine.connect() as connection:  # as autovacuum would have done it by then
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


def make_stuck(tx: Tx, count: int) -> None:
    """So many of those that wait for the warehouse wait in vain, as ShopManager itself would store it.

    They were opened long ago, behind most of the ended ones: that is where stuck Clerks are.
    """
    now = tx.now()
    waiting = select(columns.id).where(columns.step == STEP, columns.wake_at > 0).limit(count)
    held = store.read(tx, [row.id for row in tx.execute(waiting)])
    stuck = Stuck("no_answer", now, STEP, "fulfillment", "no_answer", "asked eight times, and never answered")
    changes = [(replace(each.saga, stuck=stuck), each.revision, each.digest) for each in held.values()]
    store.write(tx, changes, [])
    long_ago = update(store.clerks).where(columns.stuck_kind.isnot(None))
    tx.execute(long_ago.values(opened_at=columns.opened_at - LONG_AGO))

"""The outbox: deliveries committed with the data they tell of, kept until the broker has confirmed them (M1, M7).

One row is one packed delivery. Rows are forgotten lazily, with the next batch's transaction: a crash in between sends
them again with the same ids, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.sql import Delete, Select

from domain.messages import Message
from messaging.broker import Link, Parcel
from messaging.database import KEYS, Database, Tx
from messaging.envelope import pack
from messaging.failpoints import reached

RELAY_AFTER_MS = 2_000
"""A row that old has been left behind by whoever wrote it: anybody may send it."""
RELAY_BATCH = 100


def outbox_table(metadata: MetaData) -> Table:
    return Table(
        "outbox",
        metadata,
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("exchange", String(64), nullable=False),
        Column("routing_key", String(200), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("written_at", BigInteger, nullable=False),
    )


class Outbox:
    """Writes outgoing messages with the data, sends them after the commit, and forgets what was confirmed."""

    def __init__(self, table: Table, database: Database, link: Link) -> None:
        self.table = table
        self.database = database
        self.link = link
        self._confirmed: set[int] = set()
        self._in_hand: set[int] = set()
        self._relayed_up_to = 0
        self._posted: list[Parcel] = []
        self._postman: Thread | None = None
        self._ring = Event()
        self._guard = Lock()

    def write(self, tx: Tx, messages: Sequence[Message], now: int) -> list[Parcel]:
        """Store the messages, packed, in the caller's transaction; `send` the result after its commit."""
        packed = pack(messages)
        rows = [
            {"exchange": exchange, "routing_key": key, "body": body, "written_at": now}
            for exchange, key, body in packed
        ]
        numbers = tx.insert_numbered(self.table, rows, "number")
        return [
            Parcel(number, exchange, key, body) for number, (exchange, key, body) in zip(numbers, packed, strict=True)
        ]

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Publish; what the broker does not confirm stays in the table for `relay`."""
        if not parcels:
            return
        numbers = {parcel.number for parcel in parcels}
        with self._guard:
            self._in_hand |= numbers
        reached("outbox_taken")
        confirmed: Collection[int] = ()
        try:
            confirmed = self.link.publish(parcels)
        finally:
            with self._guard:
                self._in_hand -= numbers
                self._confirmed.update(confirmed)
        if confirmed:
            reached("confirmed")

    def post(self, parcels: Sequence[Parcel]) -> None:
        """Have the parcels sent soon: a door need not wait for the broker's confirm, for the outbox keeps them anyway.

        Whatever several doors post at the same time goes out together. Without a running postman it is sent here.
        """
        if not self._postman:
            self.send(parcels)
            return
        with self._guard:
            self._in_hand |= {parcel.number for parcel in parcels}
            self._posted += parcels
        self._ring.set()

    def start(self) -> None:
        """Let the postman run."""
        self._postman = Thread(target=self._deliver, name="outbox-postman", daemon=True)
        self._postman.start()

    def stop(self) -> None:
        """Send what was posted, then end the postman."""
        postman, self._postman = self._postman, None
        self._ring.set()
        if postman:
            postman.join(2.0)

    def _deliver(self) -> None:
        while self._postman or self._posted:
            self._ring.wait()
            self._ring.clear()
            with self._guard:
                posted, self._posted = self._posted, []
            self.send(posted)

    def forget(self, tx: Tx) -> Callable[[], None]:
        """Delete the confirmed rows in the caller's transaction; call the result after its commit."""
        with self._guard:
            numbers = set(self._confirmed)
        if numbers:
            tx.execute(_forgotten(self.table), {"keys": sorted(numbers)})

        def forgotten() -> None:
            if numbers:
                reached("forgotten")
            with self._guard:
                self._confirmed -= numbers

        return forgotten

    def relay(self) -> int:
        """Send what a crash, a dead link or an unroutable key left behind; returns how many were taken up.

        Several processes may do it at once: a message that goes out twice is the same message. Each call goes on where
        the last one ended, so that deliveries which nobody takes do not keep back those behind them.
        """
        with self.database.read() as tx:
            left = self._left_behind(tx)
        self._relayed_up_to = left[-1].number if len(left) == RELAY_BATCH else 0
        self.send(left)
        if self._confirmed:
            with self.database.begin() as tx:
                forgotten = self.forget(tx)
            forgotten()
        return len(left)

    def _left_behind(self, tx: Tx) -> list[Parcel]:
        with self._guard:
            busy = self._in_hand | self._confirmed
        rows = tx.execute(_left(self.table), {"moment": tx.now() - RELAY_AFTER_MS, "after": self._relayed_up_to})
        return [
            Parcel(row.number, row.exchange, row.routing_key, bytes(row.body)) for row in rows if row.number not in busy
        ]

    def unsent(self) -> int:
        """How many deliveries wait in the table now (those just confirmed included until they are forgotten)."""
        with self.database.read() as tx:
            return int(tx.execute(_number_of(self.table)).scalar_one())


@cache
def _number_of(table: Table) -> Select[Any]:
    return select(func.count()).select_from(table)


@cache
def _forgotten(table: Table) -> Delete:
    return delete(table).where(table.c.number.in_(KEYS))


@cache
def _left(table: Table) -> Select[Any]:
    old = (table.c.written_at <= bindparam("moment")) & (table.c.number > bindparam("after"))
    return select(table).where(old).order_by(table.c.number).limit(RELAY_BATCH)

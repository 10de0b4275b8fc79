"""The outbox: messages committed with the data they tell of, kept until the broker has confirmed them.

Semantics M1, M7. One row is one pack: messages with the same topic, which travel together. Rows are forgotten lazily,
with the next batch's transaction: a crash in between sends them again with the same ids, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy.sql import Select

from domain.messages import Message
from messaging.broker import OutboundMessage, Transport
from messaging.database import Database, Tx
from messaging.database_time import NOW
from messaging.envelope import pack
from messaging.failpoints import reached

RELAY_AFTER_MS = 2_000
"""A row that old has been left behind by the process that wrote it: any process may send it.

So has one that is as much younger than now: the clock was set back since.
"""
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


class Unsent(NamedTuple):
    """Rows of an outbox; `oldest_ms` is the age of the oldest, 0 without any."""

    rows: int
    oldest_ms: int


class Outbox:
    """Writes outgoing messages with the data, sends them after the commit, and forgets what was confirmed."""

    def __init__(self, table: Table, database: Database, transport: Transport) -> None:
        self.table = table
        self.database = database
        self.transport = transport
        self._confirmed: set[int] = set()
        self._in_hand: set[int] = set()
        self._relayed_up_to = 0
        self._posted: list[OutboundMessage] = []
        self._publisher: Thread | None = None
        self._wake = Event()
        self._lock = Lock()

    def write(self, tx: Tx, messages: Sequence[Message], now: int) -> list[OutboundMessage]:
        """Store the messages, packed, in the given transaction; `send` the result after its commit."""
        packed = pack(messages)
        rows = [
            {"exchange": destination, "routing_key": topic, "body": body, "written_at": now}
            for destination, topic, body in packed
        ]
        numbers = tx.insert_numbered(self.table, rows, "number")
        return [
            OutboundMessage(number, destination, topic, body)
            for number, (destination, topic, body) in zip(numbers, packed, strict=True)
        ]

    def send(self, outbound: Sequence[OutboundMessage]) -> None:
        """Publish; what the broker does not confirm stays in the table for `relay`."""
        if not outbound:
            return
        numbers = {message.number for message in outbound}
        with self._lock:
            self._in_hand |= numbers
        reached("outbox_taken")
        confirmed: Collection[int] = ()
        try:
            confirmed = self.transport.publish(outbound)
        finally:
            with self._lock:
                self._in_hand -= numbers
                self._confirmed.update(confirmed)
        if confirmed:
            reached("confirmed")

    def post(self, outbound: Sequence[OutboundMessage]) -> None:
        """Have them sent soon: a request need not wait for the broker's confirm, for the outbox keeps them anyway.

        What several requests post at the same time goes out together. Without a running publisher it is sent here.
        """
        if not self._publisher:
            self.send(outbound)
            return
        with self._lock:
            self._in_hand |= {message.number for message in outbound}
            self._posted += outbound
        self._wake.set()

    def start(self) -> None:
        """Let the publisher's thread run: it sends what is posted."""
        self._publisher = Thread(target=self._send_posted, name="outbox-publisher", daemon=True)
        self._publisher.start()

    def stop(self) -> None:
        """Send what was posted, then end the publisher's thread."""
        publisher, self._publisher = self._publisher, None
        self._wake.set()
        if publisher:
            publisher.join(2.0)

    def _send_posted(self) -> None:
        while self._publisher or self._posted:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                posted, self._posted = self._posted, []
            self.send(posted)

    def forget(self, tx: Tx) -> Callable[[], None]:
        """Delete the confirmed rows in the given transaction; call the result after its commit."""
        with self._lock:
            numbers = set(self._confirmed)
        tx.delete(self.table.c.number, numbers)

        def forgotten() -> None:
            if numbers:
                reached("forgotten")
            with self._lock:
                self._confirmed -= numbers

        return forgotten

    def relay(self) -> int:
        """Send what a crash, a broker that was away, or a topic without a queue left behind; returns how many.

        Several processes may do it at once: a message that goes out twice is the same message. Each call goes on where
        the last one ended, so that rows which no queue takes do not keep back those behind them.
        """
        with self.database.look() as tx:
            left = self._left_behind(tx)
        self._relayed_up_to = left[-1].number if len(left) == RELAY_BATCH else 0
        self.send(left)
        if self._confirmed:
            with self.database.begin() as tx:
                forgotten = self.forget(tx)
            forgotten()
        return len(left)

    def _left_behind(self, tx: Tx) -> list[OutboundMessage]:
        with self._lock:
            busy = self._in_hand | self._confirmed
        rows = tx.execute(_left(self.table), {"after": self._relayed_up_to})
        return [
            OutboundMessage(row.number, row.exchange, row.routing_key, bytes(row.body))
            for row in rows
            if row.number not in busy
        ]

    def unsent_now(self) -> Unsent:
        """How many rows wait in the table, and since when; see `unsent`."""
        with self.database.read() as tx:
            rows, oldest = tx.execute(_oldest_of(self.table)).one()
            return Unsent(int(rows), max(0, tx.now() - int(oldest)) if rows else 0)

    def unsent(self) -> int:
        """How many rows wait in the table now; those just confirmed are counted until they are forgotten."""
        with self.database.look() as tx:
            return int(tx.execute(_number_of(self.table)).scalar_one())


@cache
def _number_of(table: Table) -> Select[Any]:
    return select(func.count()).select_from(table)


@cache
def _oldest_of(table: Table) -> Select[int, Any]:
    return select(func.count(), func.min(table.c.written_at))


@cache
def _left(table: Table) -> Select[Any]:
    left = (table.c.written_at <= NOW - RELAY_AFTER_MS) | (table.c.written_at >= NOW + RELAY_AFTER_MS)
    return select(table).where(left, table.c.number > bindparam("after")).order_by(table.c.number).limit(RELAY_BATCH)

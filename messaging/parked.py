"""Parked messages: given up on for now, kept and visible (semantics B1, B2), and the tries that lead there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text, delete, select
from sqlalchemy.sql import Delete, Select

from messaging.database import KEYS, Tx

KEPT_BYTES = 64 * 1024
"""How much of a bad message is kept; `size` says how large it was."""


def parked_table(metadata: MetaData) -> Table:
    return Table(
        "parked",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("service", String(32), nullable=False),
        Column("queue", String(64), nullable=False),
        Column("reason", Text, nullable=False),
        Column("message", String(512)),
        Column("body", LargeBinary, nullable=False),
        Column("size", Integer, nullable=False),
        Column("times", Integer, nullable=False),
        Column("killer", Integer, nullable=False),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
    )


def tries_table(metadata: MetaData) -> Table:
    return Table(
        "tries",
        metadata,
        Column("message", String(512), primary_key=True),
        Column("count", Integer, nullable=False),
        Column("last_at", BigInteger, nullable=False),
    )


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """One bad message. `message` is its id where it could be read that far; `killer`: it took the process with it.

    `known_as`: the id under which a service told of it, for it told with a cut body.
    """

    service: str
    queue: str
    reason: str
    message: str | None
    body: bytes
    killer: bool = False
    whole_size: int | None = None
    known_as: str | None = None

    @property
    def id(self) -> str:
        """The same message is parked once, however often it comes."""
        if self.known_as:
            return self.known_as
        what = self.message.encode() if self.message else self.body
        return "prk_" + hashlib.blake2b(self.service.encode() + b"\0" + what, digest_size=12).hexdigest()

    @property
    def size(self) -> int:
        return len(self.body) if self.whole_size is None else self.whole_size


def park(tx: Tx, table: Table, parked: Sequence[ParkedMessage], now: int) -> None:
    """Keep the messages; one that is here already only has its count and reason brought up to date."""
    latest = {message.id: message for message in parked}
    rows = [_row(message, now) for message in latest.values()]
    if not rows:
        return
    known = {row.id: row.times for row in tx.execute(_times_of(table), {"keys": sorted(latest)})}
    times = Counter(message.id for message in parked)
    for row in rows:
        row["times"] = known.get(row["id"], 0) + times[row["id"]]
    tx.upsert(table, rows, ["id"], keep=["first_at"])


def _row(message: ParkedMessage, now: int) -> dict[str, Any]:
    return {
        "id": message.id,
        "service": message.service,
        "queue": message.queue,
        "reason": message.reason,
        "message": message.message,
        "body": message.body[:KEPT_BYTES],
        "size": message.size,
        "times": 0,
        "killer": int(message.killer),
        "first_at": now,
        "last_at": now,
    }


def killers(tx: Tx, table: Table) -> set[str]:
    """Ids of messages that must not be handled again unless an operator says so: they killed the process."""
    return {row.message for row in tx.execute(_killers_of(table)) if row.message}


def tried(tx: Tx, table: Table) -> set[str]:
    """Ids of messages that were tried, and not dealt with."""
    return {row.message for row in tx.execute(select(table.c.message))}


def tries_of(tx: Tx, table: Table, messages: Iterable[str]) -> dict[str, int]:
    """How often each of these messages was tried; those never counted are left out."""
    ids = sorted(set(messages))
    if not ids:
        return {}
    rows = tx.execute(_tries_in(table), {"keys": ids})
    return {row.message: row.tries for row in rows}


def count_tries(tx: Tx, table: Table, messages: Iterable[str], now: int) -> dict[str, int]:
    """Count one more try of each message; returns the new counts."""
    ids = sorted(set(messages))
    known = tries_of(tx, table, ids)
    counted = {message: known.get(message, 0) + 1 for message in ids}
    tx.upsert(
        table, [{"message": message, "count": count, "last_at": now} for message, count in counted.items()], ["message"]
    )
    return counted


def forget_tries(tx: Tx, table: Table, messages: Iterable[str]) -> None:
    ids = sorted(set(messages))
    if ids:
        tx.execute(_without_tries(table), {"keys": ids})


@cache
def _times_of(table: Table) -> Select[Any]:
    return select(table.c.id, table.c.times).where(table.c.id.in_(KEYS))


@cache
def _killers_of(table: Table) -> Select[Any]:
    return select(table.c.message).where(table.c.killer == 1)


@cache
def _tries_in(table: Table) -> Select[Any]:
    return select(table.c.message, table.c.count.label("tries")).where(table.c.message.in_(KEYS))


@cache
def _without_tries(table: Table) -> Delete:
    return delete(table).where(table.c.message.in_(KEYS))

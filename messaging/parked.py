"""Parked messages: not handled, but kept and visible (semantics B1, B2, B4); and how often each message was tried."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text, or_, select, update
from sqlalchemy.sql import Select

from domain.messages import ParkedNotice
from messaging.database import Tx
from messaging.facts import ParkedFacts
from messaging.statements import KEYS

KEPT_BYTES = 64 * 1024
"""How much of a bad message is kept; `size` says how large it was."""
NOTICE_BYTES = 16 * 1024
"""How much of it a service's notice to ShopManager has."""


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
        Column("sender", String(255)),
        Column("forged", Integer),
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
    """One bad message. `message` is its id where it could be read that far; `poison`: its handling killed the
    process (the column `killer`).

    `whole_size` and `known_as`: size and id by which a service told of it, for the notice has only its first bytes.
    `sender` is the user of the broker who sent it, None where it names none; `forged`: that user may not say it (S13).
    """

    service: str
    queue: str
    reason: str
    message: str | None
    body: bytes
    poison: bool = False
    whole_size: int | None = None
    known_as: str | None = None
    sender: str | None = None
    forged: bool = False

    @property
    def id(self) -> str:
        """The same message is parked once, however often it comes; a forged one beside the true one."""
        if self.known_as:
            return self.known_as
        what = self.message.encode() if self.message else self.body
        return (
            id_of(self.service.encode(), b"forged", str(self.sender).encode(), what)
            if self.forged
            else id_of(self.service.encode(), what)
        )

    @property
    def id_beside(self) -> str:
        """Its id where another sender's message is parked under `id` already (see `park`)."""
        return id_of(self.id.encode(), self.service.encode(), str(self.sender).encode())

    @property
    def size(self) -> int:
        return len(self.body) if self.whole_size is None else self.whole_size


def id_of(*parts: bytes) -> str:
    """The id of a parked message of which these parts say what it is."""
    return "prk_" + hashlib.blake2b(b"\0".join(parts), digest_size=12).hexdigest()


def notice_of(parked: ParkedMessage | ParkedFacts, now: int) -> ParkedNotice:
    """What a service tells ShopManager of a message that it has parked, so that operators see all in one place."""
    return ParkedNotice(
        service=parked.service,
        parked=parked.id,
        reason=parked.reason,
        queue=parked.queue,
        command=parked.message,
        body=parked.body[:NOTICE_BYTES],
        size=parked.size,
        sent_at=now,
        poison=parked.poison,
        sender=parked.sender,
        forged=parked.forged,
    )


def park(tx: Tx, table: Table, parked: Sequence[ParkedMessage], now: int, *, by_sender: bool = False) -> None:
    """Keep the messages; one that is here already only has its count and reason brought up to date.

    `by_sender`, for a table of messages from several: what one of them sends never takes the place of another's row,
    whatever id it claims.
    """
    if not parked:
        return
    keys = {key for message in parked for key in (message.id, message.id_beside)}
    known = {row.id: row for row in tx.execute(_known(table), {"keys": sorted(keys)})}
    latest: dict[str, ParkedMessage] = {}
    times: Counter[str] = Counter()
    for message in parked:
        held = latest.get(message.id) or known.get(message.id)
        key = message.id_beside if by_sender and held and _is_anothers(held, message) else message.id
        latest[key] = message
        times[key] += 1
    rows = [_row(key, message, now) for key, message in latest.items()]
    for row in rows:
        row["times"] = times[row["id"]] + (known[row["id"]].times if row["id"] in known else 0)
    tx.upsert(table, rows, ["id"], keep=["first_at"])


def _is_anothers(held: Any, message: ParkedMessage) -> bool:
    """Is what is held (a row or a message) of another sender? Rows of earlier versions do not say whose they are."""
    return held.service != message.service or (held.sender or message.sender) != message.sender


def _row(key: str, message: ParkedMessage, now: int) -> dict[str, Any]:
    return {
        "id": key,
        "service": message.service,
        "queue": message.queue,
        "reason": message.reason,
        "message": message.message,
        "body": message.body[:KEPT_BYTES],
        "size": message.size,
        "times": 0,
        "killer": int(message.poison),
        "first_at": now,
        "last_at": now,
        "sender": message.sender,
        "forged": int(message.forged),
    }


def erase_bodies(tx: Tx, table: Table, clerks: Iterable[str]) -> None:
    """Take away what the parked messages of these Clerks say; that they were parked, and why, stays."""
    of_clerks = [table.c.message.startswith(f"{clerk}/", autoescape=True) for clerk in clerks]
    if of_clerks:
        tx.execute(update(table).where(or_(*of_clerks)).values(body=b""))


def read_poison(tx: Tx, table: Table) -> set[str]:
    """Ids of messages that must not be handled again unless an operator says so: they killed the process (B2)."""
    return {row.message for row in tx.execute(_poison_of(table)) if row.message}


def read_tried(tx: Tx, table: Table) -> set[str]:
    """Ids of messages that were tried, and are neither handled nor parked."""
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
    tx.delete(table.c.message, set(messages))


@cache
def _known(table: Table) -> Select[Any]:
    return select(table.c.id, table.c.times, table.c.service, table.c.sender).where(table.c.id.in_(KEYS))


@cache
def _poison_of(table: Table) -> Select[Any]:
    return select(table.c.message).where(table.c.killer == 1)


@cache
def _tries_in(table: Table) -> Select[Any]:
    return select(table.c.message, table.c.count.label("tries")).where(table.c.message.in_(KEYS))

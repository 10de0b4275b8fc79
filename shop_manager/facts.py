"""ShopManager's facts for `clerk verify`: each Clerk with its whole history, read-only, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select

from messaging.database import Tx
from messaging.facts import has_unsent, ids_after, rows_of
from messaging.statements import KEYS
from shop_manager.engine.rows import decode_saga, listed
from shop_manager.engine.store import live_mark
from shop_manager.engine.tables import (
    clerks,
    heartbeat,
    history,
    idempotency,
    metadata,
    technical,
)
from shop_manager.saga.state import HistoryEntry, Saga

__all__ = [
    "ClerkFacts",
    "HeartbeatFacts",
    "KeyFacts",
    "asked_ids",
    "clerks_after",
    "clerks_with_two_keys",
    "count",
    "is_busy",
    "keys_after",
    "known",
    "listed",
    "live_after",
    "live_mark",
    "metadata",
    "read",
    "read_heartbeat",
    "technical",
]
columns = clerks.c
NOT_LISTED = ("id", "revision", "seen_revision", "digest", "state", "document", "state_more", "ended_at")
LISTED = tuple(column.name for column in columns if column.name not in NOT_LISTED)
"""The columns by which Clerks are found, counted and woken: those of `listed`."""

_KNOWN = select(columns.id).where(columns.id.in_(KEYS))
_CLERKS = select(
    columns.id,
    columns.revision,
    columns.state,
    columns.document,
    columns.state_more,
    *(columns[name] for name in LISTED),
)
_LINES = history.c
_HISTORIES = select(_LINES.clerk, _LINES.number, _LINES.at, _LINES.what, _LINES.step, _LINES.data).order_by(
    _LINES.clerk, _LINES.number
)
_ASKED = select(_LINES.clerk, _LINES.step, _LINES.data).where(
    _LINES.clerk.in_(KEYS), _LINES.what.in_(("asked", "note"))
)
_LIVE = columns.wake_at.is_not(None)
_LIVE_BEHIND = (
    select(columns.id).where(_LIVE, columns.id > bindparam("after")).order_by(columns.id).limit(bindparam("most"))
)
_HEARTBEAT = select(heartbeat.c.last_at, heartbeat.c.outages)
_OPENED_SINCE, _ENDED_SINCE = (
    select(columns.id).where(moment >= bindparam("since")).limit(1) for moment in (columns.opened_at, columns.ended_at)
)
_ANSWERED = idempotency.c
_BEHIND = (_ANSWERED.scope > bindparam("scope")) | (
    (_ANSWERED.scope == bindparam("scope")) & (_ANSWERED.key > bindparam("key"))
)
_KEYS_BEHIND = (
    select(_ANSWERED.scope, _ANSWERED.key, _ANSWERED.clerk, _ANSWERED.answer)
    .where(_BEHIND)
    .order_by(_ANSWERED.scope, _ANSWERED.key)
    .limit(bindparam("most"))
)
_TWO_KEYS = select(_ANSWERED.clerk).group_by(_ANSWERED.clerk).having(func.count() > 1)


@dataclass(frozen=True, slots=True)
class ClerkFacts:
    """One Clerk as stored. `shown`: its columns named in LISTED; `history` by number.

    `broken` says why the stored saga or history cannot be read; then `saga` is None.
    """

    id: str
    revision: int
    saga: Saga | None
    shown: Mapping[str, Any]
    history: Sequence[tuple[int, HistoryEntry]]
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatFacts:
    """`now`: the database's time. `beat_at`: when ShopManager was last at work, `outage_end`: the latest outage's."""

    now: int
    beat_at: int
    outage_end: int


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """An Idempotency-Key, the Clerk made under it, and which session the stored answer names (None: none)."""

    scope: str
    key: str
    clerk: str
    shown_id: str | None


def count(tx: Tx) -> int:
    """How many Clerks there are."""
    return int(tx.execute(select(func.count()).select_from(clerks)).scalar_one())


def clerks_after(tx: Tx, after: str, most: int) -> list[str]:
    """The ids of the next Clerks."""
    return ids_after(tx, [columns.id], after, most)


def live_after(tx: Tx, after: str, most: int) -> list[str]:
    """The ids of the next Clerks that have not ended, or are said to wake."""
    return [row[0] for row in tx.execute(_LIVE_BEHIND, {"after": after, "most": most})]


def known(tx: Tx, ids: Sequence[str]) -> set[str]:
    """Those of the ids that are Clerks here."""
    return {row[0] for row in tx.execute(_KNOWN, {"keys": ids})}


def read_heartbeat(tx: Tx) -> HeartbeatFacts:
    """The time here, and when ShopManager was last at work; 0 when it never was."""
    row = tx.execute(_HEARTBEAT).first()
    if row is None:
        return HeartbeatFacts(tx.now(), 0, 0)
    return HeartbeatFacts(tx.now(), row[0], max((end for _, end in orjson.loads(row[1])), default=0))


def is_busy(tx: Tx, since: int) -> bool:
    """Has a Clerk been opened since that moment (ms), or has one ended, or is a message on its way out?"""
    lately = any(tx.execute(each, {"since": since}).first() for each in (_OPENED_SINCE, _ENDED_SINCE))
    return lately or has_unsent(tx, technical.outbox)


def read(tx: Tx, ids: Sequence[str]) -> dict[str, ClerkFacts]:
    """The Clerks there are among the ids, with their histories."""
    histories, broken = _histories(tx, ids)
    wanted = set(ids)
    return {
        row[0]: _facts(tuple(row), histories.get(row[0], []), broken.get(row[0]))
        for row in rows_of(tx, _CLERKS, columns.id, ids)
        if row[0] in wanted
    }


def asked_ids(tx: Tx, ids: Sequence[str]) -> set[tuple[str, str, int, str]]:
    """(clerk, step, attempt, direction) of all that these Clerks ever asked, or a repair for them."""
    found = set()
    for clerk, step, data in tx.execute(_ASKED, {"keys": ids}):
        try:
            content = orjson.loads(data)
        except ValueError:
            continue  # I9 tells of it
        if content.keys() >= {"attempt", "direction"}:
            found.add((clerk, step, content["attempt"], content["direction"]))
    return found


def keys_after(tx: Tx, after: tuple[str, str], most: int) -> list[KeyFacts]:
    """The next Idempotency-Keys behind this (scope, key)."""
    rows = tx.execute(_KEYS_BEHIND, {"scope": after[0], "key": after[1], "most": most})
    return [_key(*row) for row in rows]


def clerks_with_two_keys(tx: Tx) -> list[str]:
    """Clerks that were made under more than one key."""
    return [row[0] for row in tx.execute(_TWO_KEYS)]


def _histories(tx: Tx, ids: Sequence[str]) -> tuple[dict[str, list[tuple[int, HistoryEntry]]], dict[str, str]]:
    """The histories, by Clerk, and what is wrong with those that cannot be read."""
    rows = rows_of(tx, _HISTORIES, _LINES.clerk, ids)
    loads = orjson.loads
    found: dict[str, list[tuple[int, HistoryEntry]]] = {}
    broken: dict[str, str] = {}
    for clerk, number, at, what, step, data in rows:
        try:
            found.setdefault(clerk, []).append((number, HistoryEntry(what, at, step, loads(data))))
        except ValueError as error:
            broken[clerk] = f"history entry {number}: {error}"[:200]
    return found, broken


def _facts(row: tuple[Any, ...], entries: Sequence[tuple[int, HistoryEntry]], broken: str | None) -> ClerkFacts:
    clerk, revision, state, document, more, *shown = row
    named = dict(zip(LISTED, shown, strict=True))
    if broken is not None:
        return ClerkFacts(clerk, revision, None, named, entries, broken)
    try:
        saga = decode_saga(clerk, state, document, more)
    except (ValueError, TypeError, KeyError) as error:
        return ClerkFacts(clerk, revision, None, named, entries, f"{type(error).__name__}: {error}"[:200])
    return ClerkFacts(clerk, revision, saga, named, entries)


def _key(scope: str, key: str, clerk: str, answer: str) -> KeyFacts:
    try:
        shown = orjson.loads(answer)["id"]
    except (ValueError, TypeError, KeyError):
        shown = None
    return KeyFacts(scope, key, clerk, shown)

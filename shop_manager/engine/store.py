"""Reads and writes Clerks: each with its row, its history, and the replies that were ignored; a batch at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select

from messaging.database import Tx
from messaging.database_errors import ConcurrencyError
from messaging.database_time import NOW
from messaging.statements import KEYS
from shop_manager.engine.rows import clerk_row, decode_saga, history_row
from shop_manager.engine.tables import clerks, history, ignored
from shop_manager.saga.state import HistoryEntry, Saga

IGNORED_SHOWN = 200
NEW = 0
"""The revision of a Clerk that is not stored yet."""


class VersionedSaga:
    """One Clerk as stored: its saga, and the revision that must still be there when it is written (T3).

    `wake_at`: as it stands on the row. `size`: of its JSON, in bytes or a little less.
    """

    __slots__ = ("digest", "revision", "saga", "size", "wake_at")

    def __init__(self, saga: Saga, revision: int, digest: str, wake_at: int | None, size: int) -> None:
        self.saga = saga
        self.revision = revision
        self.digest = digest
        self.wake_at = wake_at
        self.size = size

    @property
    def stamp(self) -> tuple[int, int]:
        """Another one says that somebody has written the Clerk since."""
        return self.revision, self.saga.updated_at


_IS_LIVE = clerks.c.wake_at.isnot(None)
_LIVE_MARK = select(func.count(), func.sum(clerks.c.revision)).where(_IS_LIVE)
_READ = select(
    clerks.c.id,
    clerks.c.revision,
    clerks.c.digest,
    clerks.c.wake_at,
    clerks.c.state,
    clerks.c.document,
    clerks.c.state_more,
).where(clerks.c.id.in_(KEYS))
_STAMPS = select(clerks.c.id, clerks.c.revision, clerks.c.updated_at).where(clerks.c.id.in_(KEYS))
_HISTORIES = select(history).where(history.c.clerk.in_(KEYS)).order_by(history.c.clerk, history.c.number)
_DUE = select(clerks.c.id).where(clerks.c.wake_at <= NOW).order_by(clerks.c.wake_at).limit(bindparam("most"))


def read(tx: Tx, ids: Collection[str]) -> dict[str, VersionedSaga]:
    """The Clerks there are, by id."""
    rows: Iterable[Any] = tx.execute(_READ, {"keys": sorted(ids)}) if ids else ()
    return {
        clerk: VersionedSaga(
            decode_saga(clerk, state, document, more), revision, digest, wake_at, len(state) + len(document)
        )
        for clerk, revision, digest, wake_at, state, document, more in rows
    }


def lock_and_read_stamps(
    tx: Tx, locks: Collection[str], ids: Collection[str]
) -> tuple[int, dict[str, tuple[int, int]]]:
    """The time after the locks of those Clerks, and the `stamp` of each of these, by id."""
    now, rows = tx.lock_and_read(locks, _STAMPS, {"keys": sorted(ids)})
    return now, {row.id: (row.revision, row.updated_at) for row in rows}


def write(
    tx: Tx,
    changes: Sequence[tuple[Saga, int, str]],
    entries: Sequence[tuple[str, int, HistoryEntry]],
    early: Mapping[str, int] | None = None,
) -> list[VersionedSaga]:
    """Store the sagas with their new history, by compare-and-set; returns them as they are stored then.

    ConcurrencyError when one was changed since it was read (T3); IntegrityError, then or at the commit, when there is
    one already that is NEW here.
    `changes`: (saga, revision as read, digest); `entries`: (clerk, number, entry); `early`: when some Clerks are woken,
    earlier than need be (`wake_at` of UnitOfWork).
    """
    rows = [clerk_row(saga, revision, digest) for saga, revision, digest in changes]
    for row in rows:
        row["wake_at"] = (early or {}).get(row["id"], row["wake_at"])
    tx.insert(clerks, [row for row in rows if row["seen_revision"] == NEW])
    known = [row for row in rows if row["seen_revision"] != NEW]
    written = tx.update(clerks, known, ["id"], only_if="clerks.revision = given.seen_revision")
    if written != len(known):
        raise ConcurrencyError(f"{len(known) - written} of {len(known)} Clerks were changed by somebody else")
    tx.insert(history, [history_row(clerk, number, entry) for clerk, number, entry in entries])
    return [
        VersionedSaga(saga, row["revision"], digest, row["wake_at"], len(row["state"]) + len(row["document"]))
        for (saga, _, digest), row in zip(changes, rows, strict=True)
    ]


def write_ignored(tx: Tx, replies: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was ignored, with the reason (M3): {clerk, at, message, outcome, reason}."""
    tx.insert(ignored, replies)


def is_ignored(tx: Tx, clerk: str, message: str) -> bool:
    """Has this been kept of the Clerk before?"""
    kept = select(ignored.c.number).where(ignored.c.clerk == clerk, ignored.c.message == message).limit(1)
    return tx.execute(kept).first() is not None


def read_history(tx: Tx, clerk: str, after: int = 0) -> list[tuple[int, HistoryEntry]]:
    """A Clerk's history, in order; `after`: only the entries with higher numbers."""
    wanted = (history.c.clerk == clerk) & (history.c.number > after)
    rows = tx.execute(select(history).where(wanted).order_by(history.c.number))
    return [(row.number, _entry(row)) for row in rows]


def read_histories(tx: Tx, ids: Collection[str]) -> dict[str, list[HistoryEntry]]:
    """The whole histories of these Clerks, each in order."""
    found: dict[str, list[HistoryEntry]] = {}
    rows: Iterable[Any] = tx.execute(_HISTORIES, {"keys": sorted(ids)}) if ids else ()
    for row in rows:
        found.setdefault(row.clerk, []).append(_entry(row))
    return found


def _entry(row: Any) -> HistoryEntry:
    return HistoryEntry(row.what, row.at, row.step, orjson.loads(row.data))


def read_ignored(tx: Tx, clerk: str) -> list[dict[str, Any]]:
    """The latest replies that were ignored, and acts that came too late; in order, at most IGNORED_SHOWN."""
    rows = tx.execute(
        select(ignored).where(ignored.c.clerk == clerk).order_by(ignored.c.number.desc()).limit(IGNORED_SHOWN)
    )
    return [dict(row._mapping) for row in rows][::-1]


def due(tx: Tx, limit: int) -> list[str]:
    """Ids of Clerks whose `wake_at` has come, the longest due first."""
    rows = tx.execute(_DUE, {"most": limit})
    return [row.id for row in rows]


def live_mark(tx: Tx) -> tuple[int, int]:
    """Changes whenever a live Clerk does: how many there are, and the sum of their revisions."""
    row = tx.execute(_LIVE_MARK).one()
    return int(row[0]), int(row[1] or 0)


def processes_in_use(tx: Tx) -> list[tuple[str, str]]:
    """(reference, digest) of every process that a live Clerk runs on."""
    live = select(clerks.c.process, clerks.c.digest).where(_IS_LIVE).distinct()
    return [(row.process, row.digest) for row in tx.execute(live)]

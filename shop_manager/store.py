"""Where Clerks are kept: one row each, its history, and what was ignored. A batch is read and written at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text, bindparam, select

from doors.keys import key_tables
from messaging.database import KEYS, Tx
from messaging.schema import technical_tables
from messaging.worker import LostRace
from shop_manager.dashboard.logins import login_table
from shop_manager.deciding.deadlines import wake_at
from shop_manager.ops_tables import operations_tables
from shop_manager.saga import Entry, Progress, Question, Resend, Saga, Stuck

metadata = MetaData()
schema = technical_tables(metadata)
key_tables(metadata)
operations = operations_tables(metadata)
login_table(metadata)
clerks = Table(
    "clerks",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("seen_revision", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("process", String(64), nullable=False),
    Column("digest", String(16), nullable=False),
    Column("shop", String(128), nullable=False),
    Column("customer", String(128)),
    Column("client_reference", String(200)),
    Column("currency", String(3), nullable=False),
    Column("total", BigInteger),
    Column("step", String(128)),
    Column("waiting_for", String(16)),
    Column("stuck_kind", String(32)),
    Column("stuck_code", String(128)),
    Column("stuck_since", BigInteger),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("wake_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),
)
# An ended Clerk has no wake_at: these partial indexes hold the live ones only, however many have ended.
_LIVE = clerks.c.wake_at.isnot(None)
Index("clerks_wake", clerks.c.wake_at, sqlite_where=_LIVE, postgresql_where=_LIVE)
_ENDED = clerks.c.wake_at.is_(None)
Index("clerks_ended", clerks.c.updated_at, sqlite_where=_ENDED, postgresql_where=_ENDED)
_STUCK = clerks.c.stuck_kind.isnot(None)
Index("clerks_stuck", clerks.c.stuck_since, sqlite_where=_STUCK, postgresql_where=_STUCK)
# Without this one a planner walks through all ended Clerks, by when they were opened, to find the few that are stuck.
Index("clerks_stuck_opened", clerks.c.opened_at, clerks.c.id, sqlite_where=_STUCK, postgresql_where=_STUCK)
Index("clerks_opened", clerks.c.opened_at, clerks.c.id)
Index("clerks_customer", clerks.c.customer, clerks.c.opened_at)
Index("clerks_status", clerks.c.status, clerks.c.opened_at)
_NAMED = clerks.c.client_reference.isnot(None)
Index(
    "clerks_reference",
    clerks.c.client_reference,
    clerks.c.opened_at,
    sqlite_where=_NAMED,
    postgresql_where=_NAMED,
)

history = Table(
    "history",
    metadata,
    Column("clerk", String(128), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("step", String(128)),
    Column("data", Text, nullable=False),
)
ignored = Table(
    "ignored",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("clerk", String(128), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("message", String(512), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
)
heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("last_at", BigInteger, nullable=False),
    Column("outages", Text, nullable=False),
)
customers = Table(
    "customers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("type", String(16), nullable=False),
)
shops = Table(
    "shops",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", String(16), nullable=False),
    Column("allows_invoice", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("clerk", String(128), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
master_secrets = Table(
    "master_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)


class Held:
    """One Clerk as read: its saga, and the revision that the next write must still find (T3)."""

    __slots__ = ("digest", "revision", "saga")

    def __init__(self, saga: Saga, revision: int, digest: str) -> None:
        self.saga = saga
        self.revision = revision
        self.digest = digest


_READ = select(clerks.c.id, clerks.c.revision, clerks.c.digest, clerks.c.state, clerks.c.document).where(
    clerks.c.id.in_(KEYS)
)
_DUE = (
    select(clerks.c.id).where(clerks.c.wake_at <= bindparam("now")).order_by(clerks.c.wake_at).limit(bindparam("most"))
)


def read(tx: Tx, ids: Iterable[str]) -> dict[str, Held]:
    """The Clerks there are, by id."""
    rows = tx.execute(_READ, {"keys": sorted(set(ids))})
    return {row.id: Held(_saga(row.id, row.state, row.document), row.revision, row.digest) for row in rows}


def write(tx: Tx, changes: Sequence[tuple[Saga, int, str]], entries: Sequence[tuple[str, int, Entry]]) -> None:
    """Store the sagas with their new history. LostRace when one was changed since it was read (compare-and-set).

    `changes`: (saga, revision as read, digest); `entries`: (clerk, number, entry).
    """
    rows = [_row(saga, revision, digest) for saga, revision, digest in changes]
    written = tx.upsert(clerks, rows, ["id"], only_if="clerks.revision = excluded.seen_revision", keep=["opened_at"])
    if written != len(rows):
        raise LostRace(f"{len(rows) - written} of {len(rows)} Clerks were changed by somebody else")
    tx.insert(history, [_history_row(clerk, number, entry) for clerk, number, entry in entries])


def write_ignored(tx: Tx, replies: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was ignored, with the reason (M3): {clerk, at, message, outcome, reason}."""
    tx.insert(ignored, replies)


def read_history(tx: Tx, clerk: str) -> list[tuple[int, Entry]]:
    """A Clerk's whole history, in order."""
    rows = tx.execute(select(history).where(history.c.clerk == clerk).order_by(history.c.number))
    return [(row.number, Entry(row.what, row.at, row.step, orjson.loads(row.data))) for row in rows]


def read_ignored(tx: Tx, clerk: str, limit: int = 200) -> list[dict[str, Any]]:
    rows = tx.execute(select(ignored).where(ignored.c.clerk == clerk).order_by(ignored.c.number.desc()).limit(limit))
    return [dict(row._mapping) for row in rows][::-1]


def due(tx: Tx, now: int, limit: int) -> list[str]:
    """Ids of Clerks whose `wake_at` has come, the longest due first."""
    rows = tx.execute(_DUE, {"now": now, "most": limit})
    return [row.id for row in rows]


def processes_in_use(tx: Tx) -> list[tuple[str, str]]:
    """(reference, digest) of every process that a live Clerk runs on."""
    live = select(clerks.c.process, clerks.c.digest).where(_LIVE).distinct()
    return [(row.process, row.digest) for row in tx.execute(live)]


def _row(saga: Saga, revision: int, digest: str) -> dict[str, Any]:
    return {
        "id": saga.id,
        "revision": revision + 1,
        "seen_revision": revision,
        "digest": digest,
        **listed(saga),
        "state": _state(saga),
        "document": orjson.dumps(saga.document).decode(),
    }


def listed(saga: Saga) -> dict[str, Any]:
    """The columns by which Clerks are found, counted and woken; each follows from the saga."""
    head, order = saga.document["clerk"], saga.document.get("order") or {}
    question = saga.question
    total = order.get("total")
    return {
        "version": saga.version,
        "status": saga.status,
        "process": saga.process,
        "shop": head["shop"],
        "customer": saga.document["customer"].get("id"),
        "client_reference": head.get("client_reference"),
        "currency": head["currency"],
        "total": total if type(total) is int else None,
        "step": question.step if question else None,
        "waiting_for": (question.waits_for or "service") if question else None,
        "stuck_kind": saga.stuck.kind if saga.stuck else None,
        "stuck_code": saga.stuck.code[:128] if saga.stuck else None,
        "stuck_since": saga.stuck.since if saga.stuck else None,
        "opened_at": saga.opened_at,
        "updated_at": saga.updated_at,
        "expires_at": saga.expires_at,
        "wake_at": wake_at(saga),
    }


def _state(saga: Saga) -> str:
    return orjson.dumps(
        {
            "process": saga.process,
            "version": saga.version,
            "status": saga.status,
            "opened_at": saga.opened_at,
            "updated_at": saga.updated_at,
            "expires_at": saga.expires_at,
            "steps": {name: _progress(each) for name, each in saga.steps.items()},
            "question": saga.question,
            "resend": saga.resend,
            "ending": saga.ending,
            "failure": saga.failure,
            "stuck": saga.stuck,
            "past_pivot": saga.past_pivot,
            "traceparent": saga.traceparent,
        }
    ).decode()


def _progress(progress: Progress) -> list[Any]:
    return [progress.state, progress.at, progress.attempts, *([True] if progress.by_hand else [])]


def _saga(clerk: str, state: str, document: str) -> Saga:
    fields = orjson.loads(state)
    fields["steps"] = {name: Progress(*progress) for name, progress in fields["steps"].items()}
    fields["question"] = Question(**fields["question"]) if fields["question"] else None
    fields["resend"] = Resend(**fields["resend"]) if fields["resend"] else None
    fields["stuck"] = Stuck(**fields["stuck"]) if fields["stuck"] else None
    return Saga(id=clerk, document=orjson.loads(document), **fields)


def _history_row(clerk: str, number: int, entry: Entry) -> dict[str, Any]:
    data = orjson.dumps(dict(entry.data)).decode()
    return {"clerk": clerk, "number": number, "at": entry.at, "what": entry.what, "step": entry.step, "data": data}

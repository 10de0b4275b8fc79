"""The tables of the operators' side: who did what, decided parked messages, bulk acts, saved views, figures, checks."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text


class OperationsTables(NamedTuple):
    audit: Table
    checks: Table
    parked_decisions: Table
    bulks: Table
    bulk_items: Table
    views: Table
    tallies: Table
    totals: Table
    runbooks: Table
    clocks: Table
    step_hours: Table
    claims: Table
    mentions: Table


def operations_tables(metadata: MetaData) -> OperationsTables:
    """Puts them into the metadata. Moments are ms; `before`, `after`, `params`, `money`, `drifts` hold JSON."""
    return OperationsTables(
        _audit(metadata),
        _checks(metadata),
        _parked_decisions(metadata),
        *_bulk(metadata),
        _views(metadata),
        _tallies(metadata),
        _totals(metadata),
        _runbooks(metadata),
        _clocks(metadata),
        _step_hours(metadata),
        _claims(metadata),
        _mentions(metadata),
    )


def _numbered() -> Column[int]:
    return Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _audit(metadata: MetaData) -> Table:
    """It can only grow (S9): no code changes a line, and a trigger of the migration refuses it.

    `who_key` is `who` as names are compared; lines of older versions have none. `bulk`: the bulk act it is part of.
    """
    table = Table(
        "audit",
        metadata,
        _numbered(),
        Column("at", BigInteger, nullable=False),
        Column("who", String(128), nullable=False),
        Column("role", String(16), nullable=False),
        Column("action", String(32), nullable=False),
        Column("target", String(200), nullable=False),
        Column("reason", Text, nullable=False),
        Column("seen", BigInteger),
        Column("before", Text),
        Column("after", Text),
        Column("outcome", String(32), nullable=False),
        Column("detail", Text, nullable=False),
        Column("who_key", String(128)),
        Column("bulk", String(40)),
    )
    for name in ("who", "who_key", "action", "target", "outcome", "bulk"):
        Index(f"audit_{name}", table.c[name], table.c.number)
    return table


def _checks(metadata: MetaData) -> Table:
    return Table(
        "checks",
        metadata,
        _numbered(),
        Column("started_at", BigInteger, nullable=False),
        Column("finished_at", BigInteger, nullable=False),
        Column("clerks", BigInteger, nullable=False),
        Column("drifts", Text, nullable=False),
    )


def _parked_decisions(metadata: MetaData) -> Table:
    """What an operator decided of a parked message; one that was parked again after `at` is open once more."""
    return Table(
        "parked_decisions",
        metadata,
        Column("parked", String(40), primary_key=True),
        Column("state", String(16), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("who", String(128), nullable=False),
        Column("reason", Text, nullable=False),
        Column("effect", Text, nullable=False),
    )


def _bulk(metadata: MetaData) -> tuple[Table, Table]:
    bulks = Table(
        "bulks",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("action", String(32), nullable=False),
        Column("params", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("who", String(128), nullable=False),
        Column("status", String(16), nullable=False),
        Column("per_minute", Integer),
        Column("created_at", BigInteger, nullable=False, index=True),
        Column("started_at", BigInteger),
        Column("finished_at", BigInteger),
        Column("next_at", BigInteger),
        Column("count", Integer, nullable=False),
        Column("money", Text, nullable=False),
        Column("follow_at", BigInteger),
    )
    running, followed = bulks.c.next_at.isnot(None), bulks.c.follow_at.isnot(None)
    Index("bulks_follow", bulks.c.follow_at, sqlite_where=followed, postgresql_where=followed)
    Index("bulks_next", bulks.c.next_at, sqlite_where=running, postgresql_where=running)
    items = Table(
        "bulk_items",
        metadata,
        Column("bulk", String(40), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("target", String(128), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("outcome", String(32)),
        Column("detail", Text),
        Column("at", BigInteger),
        Column("asked", Text),
    )
    return bulks, items


def _views(metadata: MetaData) -> Table:
    return Table(
        "views",
        metadata,
        Column("operator", String(128), primary_key=True),
        Column("name", String(80), primary_key=True),
        Column("query", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("shared", Integer, nullable=False, server_default="0", index=True),
    )


def _tallies(metadata: MetaData) -> Table:
    """How many Clerks of a process were `opened`, and have ended so or so, in each minute (ms of its beginning).

    Without row ids: SQLite finds the counts where it finds the minutes, and adds up a week in a few ms.
    """
    return Table(
        "tallies",
        metadata,
        Column("minute", BigInteger, primary_key=True),
        Column("process", String(64), primary_key=True),
        Column("what", String(16), primary_key=True),
        Column("count", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _totals(metadata: MetaData) -> Table:
    """The tallies added up, up to the moment (ms) that the row without a process holds as its count."""
    return Table(
        "totals",
        metadata,
        Column("process", String(64), primary_key=True),
        Column("what", String(16), primary_key=True),
        Column("count", BigInteger, nullable=False),
    )


def _runbooks(metadata: MetaData) -> Table:
    """What to do and who is responsible, for a `service`, or for a cause: what a row is not about is empty."""
    return Table(
        "runbooks",
        metadata,
        Column("service", String(64), primary_key=True),
        Column("process", String(200), primary_key=True),
        Column("step", String(200), primary_key=True),
        Column("kind", String(200), primary_key=True),
        Column("code", String(200), primary_key=True),
        Column("link", Text),
        Column("responsible", Text),
        Column("at", BigInteger, nullable=False),
        Column("who", String(128), nullable=False),
    )


def _clocks(metadata: MetaData) -> Table:
    """In which time an operator reads the pages, `local` or `utc`; whoever has chosen nothing has no row."""
    return Table(
        "clocks",
        metadata,
        Column("operator", String(128), primary_key=True),
        Column("clock", String(8), nullable=False),
    )


def _step_hours(metadata: MetaData) -> Table:
    """How many steps took how long, in each hour (ms of its beginning): see engine/step_hours.py."""
    return Table(
        "step_hours",
        metadata,
        Column("hour", BigInteger, primary_key=True, autoincrement=False),
        Column("process", String(64), primary_key=True),
        Column("step", String(128), primary_key=True),
        Column("turn", String(16), primary_key=True),
        Column("bucket", Integer, primary_key=True, autoincrement=False),
        Column("count", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _claims(metadata: MetaData) -> Table:
    """Who looks after a stuck Clerk. It counts for that time of being stuck only: where `stuck_since` is the Clerk's.

    `step`: at which more time was given since; until that is answered it counts too, stuck or not.
    `who_key` is the part of the name that stays, as names are compared.
    """
    return Table(
        "claims",
        metadata,
        Column("clerk", String(128), primary_key=True),
        Column("stuck_since", BigInteger, nullable=False),
        Column("who", String(128), nullable=False),
        Column("who_key", String(128), nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("snoozed_until", BigInteger),
        Column("step", String(128)),
    )


def _mentions(metadata: MetaData) -> Table:
    """Whom the note with this number of a Clerk's history names, and when they have seen it."""
    return Table(
        "mentions",
        metadata,
        Column("who_key", String(128), primary_key=True),
        Column("clerk", String(128), primary_key=True),
        Column("number", BigInteger, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("seen_at", BigInteger),
    )

"""The tables of what happened: a line for each event that operators care for, and which versions were seen at work."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

FILTERED = ("service", "step", "cause", "code", "who_key", "process")
"""Columns by which lines are found; each has an index that ends with the moment."""


class ActivityTables(NamedTuple):
    lines: Table
    versions: Table


def activity_tables(metadata: MetaData) -> ActivityTables:
    """Puts `activity` and `versions` into the metadata. Moments are ms.

    `activity`: `kind` and `what` say what it was (operations/activity.py); `began_at` when what is over began; `count`
    how many it was; `entry` is a name under which a line that may be written twice is there once. An order that never
    gets stuck has none. `versions`: `part` is a service, or `process` with a process's reference as its version.
    """
    lines = Table(
        "activity",
        metadata,
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("at", BigInteger, nullable=False),
        Column("kind", String(16), nullable=False),
        Column("what", String(32), nullable=False),
        Column("clerk", String(128)),
        Column("process", String(64)),
        Column("step", String(128)),
        Column("service", String(64)),
        Column("cause", String(32)),
        Column("code", String(128)),
        Column("who", String(128)),
        Column("who_key", String(128)),
        Column("target", String(200)),
        Column("detail", Text, nullable=False),
        Column("began_at", BigInteger),
        Column("count", Integer, nullable=False),
        Column("entry", String(80), unique=True),
    )
    Index("activity_at", lines.c.at, lines.c.number)
    Index("activity_kind", lines.c.kind, lines.c.at, lines.c.number)
    for name in FILTERED:
        known = lines.c[name].isnot(None)
        Index(f"activity_{name}", lines.c[name], lines.c.at, lines.c.number, sqlite_where=known, postgresql_where=known)
    versions = Table(
        "versions",
        metadata,
        Column("part", String(64), primary_key=True),
        Column("version", String(64), primary_key=True),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
    )
    return ActivityTables(lines, versions)

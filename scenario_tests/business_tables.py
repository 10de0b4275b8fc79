"""Reads business tables row for row: a session that did not complete leaves those of shop and risk as before (I6)."""

from __future__ import annotations

from sqlalchemy import MetaData, select

from messaging.database import Database

TECHNICAL = frozenset(
    {
        "access_keys",
        "alembic_version",
        "operators",
        "outbox",
        "parked",
        "sessions_seen",
        "tries",
        "turns",
    }
)
"""Tables of message handling and of access: they hold no business data."""
Rows = dict[str, list[str]]


def business_rows(database: Database) -> Rows:
    """By table: every row as text, sorted."""
    tables = MetaData()
    tables.reflect(database.engine)
    with database.read() as tx:
        return {
            table.name: sorted(repr(tuple(row)) for row in tx.execute(select(table)))
            for table in tables.sorted_tables
            if table.name not in TECHNICAL
        }


def difference(before: Rows, after: Rows) -> list[str]:
    """The rows that were added or removed, one line each."""
    lines = []
    for table in sorted(before.keys() | after.keys()):
        was, now = before.get(table, []), after.get(table, [])
        lines += [f"{table}: - {row}" for row in was if row not in now]
        lines += [f"{table}: + {row}" for row in now if row not in was]
    return lines

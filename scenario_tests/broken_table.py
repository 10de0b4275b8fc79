"""A table from which nothing can be deleted for a while: an undo that deletes from it fails with a database error.

A trigger does it: an error of one statement is counted against the message that caused it. A missing table would look
like a missing database on SQLite, and for that a worker simply waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from messaging.database import Database

BREAK = {
    "sqlite": ("CREATE TRIGGER broken BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'the table is broken'); END",),
    "postgresql": (
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the table is broken'; END $$",
        "CREATE TRIGGER broken BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION broken()",
    ),
}
REPAIR = {
    "sqlite": ("DROP TRIGGER broken",),
    "postgresql": ("DROP TRIGGER broken ON {table}", "DROP FUNCTION broken()"),
}


@contextmanager
def broken(database: Database, table: str) -> Iterator[None]:
    """Broken inside the block, repaired at its end."""
    _run(database, table, BREAK)
    try:
        yield
    finally:
        _run(database, table, REPAIR)


def _run(database: Database, table: str, statements: dict[str, tuple[str, ...]]) -> None:
    with database.begin() as tx:
        for statement in statements[database.dialect]:
            tx.execute(text(statement.format(table=table)))

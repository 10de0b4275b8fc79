"""A database of a test's own on SQLite or PostgreSQL, and by which way it would answer a question."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Dialect, make_url
from sqlalchemy.sql import Select
from sqlalchemy.sql.selectable import CompoundSelect

from messaging.database import Database, Tx
from shop_manager.engine.tables import metadata
from tests.postgres import admin_url, administer

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)]
"""The dialects, as the params of a fixture."""


@contextmanager
def own_database(dialect: str, folder: Path, clock: Callable[[], int] | None = None) -> Iterator[Database]:
    """ShopManager's tables, empty. `clock` (ms) is for SQLite: PostgreSQL has its own."""
    if dialect == "sqlite":
        found = Database(f"sqlite:///{folder}/shop_manager.db", clock=clock)
        metadata.create_all(found.engine)
        yield found
        found.close()
        return
    admin, name = admin_url(), f"plans_{secrets.token_hex(4)}"
    administer(admin, f"CREATE DATABASE {name}")
    found = Database(make_url(admin).set(database=name).render_as_string(hide_password=False))
    metadata.create_all(found.engine)
    yield found
    found.close()
    administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


def analyze(database: Database) -> None:
    """Let it count what was filled in: it plans by that."""
    with database.begin() as tx:
        tx.connection.exec_driver_sql("ANALYZE")


def plan(tx: Tx, statement: Select[Any] | CompoundSelect[Any], values: dict[str, object]) -> list[str]:
    """The lines of EXPLAIN."""
    on_sqlite = tx.database.dialect == "sqlite"
    dialect: Dialect = tx.database.engine.dialect
    text = str(statement.params(**values).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    rows = tx.connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if on_sqlite else ''}{text}".replace("%", "%%"))
    return [row[-1] for row in rows]

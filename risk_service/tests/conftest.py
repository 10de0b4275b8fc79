"""Risk's empty database; SQLite, and PostgreSQL where one is given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.database import Database
from risk_service.store import metadata
from risk_service.tests.commands import NOON


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/risk.db", clock=lambda: NOON)
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def any_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """One database after the other; the PostgreSQL of CLERK_TEST_DATABASE_URL is emptied of our tables."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    url = os.environ.get("CLERK_TEST_DATABASE_URL")
    if not url:
        pytest.skip("CLERK_TEST_DATABASE_URL names no PostgreSQL")
    database = Database(url)
    metadata.drop_all(database.engine)
    metadata.create_all(database.engine)
    yield database
    metadata.drop_all(database.engine)
    database.close()

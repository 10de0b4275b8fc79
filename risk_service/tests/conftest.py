"""Risk's empty database; SQLite, and PostgreSQL where one is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.database import Database
from messaging.tests.databases import BOTH, Clock, given_postgres, new_sqlite
from risk_service.store import metadata
from risk_service.tests.commands import NOON


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_sqlite(tmp_path, metadata, Clock(NOON)) as database:
        yield database


@pytest.fixture(params=BOTH)
def any_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """One database after the other."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    with given_postgres(metadata) as database:
        yield database

"""Fulfillment's database with ten bones and three ducks; SQLite, and PostgreSQL where one is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fulfillment_service.store import metadata
from fulfillment_service.tests.commands import NOON, stocks
from messaging.database import Database
from messaging.tests.databases import BOTH, Clock, given_postgres, new_sqlite

PIECES = {"SQUEAKY-BONE": 10, "SQUEAKY-DUCK": 3}


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    with new_sqlite(tmp_path, metadata, clock) as database:
        stocks(database, PIECES)
        yield database


@pytest.fixture(params=BOTH)
def any_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """One database after the other."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    with given_postgres(metadata) as database:
        stocks(database, PIECES)
        yield database

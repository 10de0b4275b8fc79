"""Fulfillment's database with ten bones and three ducks; SQLite, and PostgreSQL where one is given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fulfillment_service.store import metadata
from fulfillment_service.tests.commands import NOON, stocks
from messaging.database import Database


class Clock:
    """A clock that a test puts forward."""

    now = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/fulfillment.db", clock=clock)
    metadata.create_all(database.engine)
    stocks(database, {"SQUEAKY-BONE": 10, "SQUEAKY-DUCK": 3})
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
    stocks(database, {"SQUEAKY-BONE": 10, "SQUEAKY-DUCK": 3})
    yield database
    metadata.drop_all(database.engine)
    database.close()

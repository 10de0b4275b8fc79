"""Databases for the tests of services: a new SQLite file, or the PostgreSQL that is given, emptied of the tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from messaging.database import Database

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)]


class Clock:
    """A clock that a test puts forward: `now` in ms."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@contextmanager
def new_sqlite(folder: Path, metadata: MetaData, clock: Callable[[], int]) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder}/tables.db", clock=clock)
    metadata.create_all(database.engine)
    yield database
    database.close()


@contextmanager
def given_postgres(metadata: MetaData) -> Iterator[Database]:
    """The database of CLERK_TEST_DATABASE_URL, without what was in these tables; the test is skipped without it."""
    url = os.environ.get("CLERK_TEST_DATABASE_URL")
    if not url:
        pytest.skip("CLERK_TEST_DATABASE_URL names no PostgreSQL")
    database = Database(url)
    metadata.drop_all(database.engine)
    metadata.create_all(database.engine)
    yield database
    metadata.drop_all(database.engine)
    database.close()

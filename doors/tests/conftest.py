"""A bench on a fresh SQLite file for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from doors.tests.bench import Bench
from messaging.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/doors.db")
    yield database
    database.close()


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)

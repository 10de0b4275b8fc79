"""A small application with its own SQLite file for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from http_api.tests.harness import HttpHarness
from http_api.tests.quick_hashes import quick_hashes
from messaging.database import Database

__all__ = ["quick_hashes"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/http_api.db")
    yield database
    database.close()


@pytest.fixture
def harness(database: Database) -> HttpHarness:
    return HttpHarness(database)

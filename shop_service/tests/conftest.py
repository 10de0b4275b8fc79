"""A shop's database with the demo articles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.database import Database
from messaging.tests.databases import Clock, new_sqlite
from shop_service.seed_data import fill
from shop_service.store import metadata
from shop_service.tests.commands import NOON


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    with new_sqlite(tmp_path, metadata, clock) as database:
        with database.begin() as tx:
            fill(tx)
        yield database

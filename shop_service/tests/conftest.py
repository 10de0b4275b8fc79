"""A shop's database with the demo articles on the shelf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.database import Database
from shop_service.shelf import fill
from shop_service.store import metadata
from shop_service.tests.commands import NOON


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
    database = Database(f"sqlite:///{tmp_path}/shop.db", clock=clock)
    metadata.create_all(database.engine)
    with database.begin() as tx:
        fill(tx)
    yield database
    database.close()

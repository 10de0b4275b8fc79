"""The doors of a fresh ShopManager for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shop_manager.tests.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.watch.close()
    house.database.close()

"""A house with its doors (shop_manager/tests/house.py), and who visits its dashboard."""

from __future__ import annotations

import pytest

from shop_manager.dashboard.tests.visitor import Visitor
from shop_manager.tests.conftest import house
from shop_manager.tests.house import House

__all__ = ["house"]


@pytest.fixture
def visitor(house: House) -> Visitor:
    """Not logged in."""
    return Visitor(house)


@pytest.fixture
def viewer(house: House) -> Visitor:
    return Visitor(house).logged_in("viewer")


@pytest.fixture
def operator(house: House) -> Visitor:
    return Visitor(house).logged_in("operator")


@pytest.fixture
def admin(house: House) -> Visitor:
    return Visitor(house).logged_in("admin")

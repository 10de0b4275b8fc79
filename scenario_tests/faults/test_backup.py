"""One service's database comes from an older backup: `clerk verify` names every order that it is behind with, and
nothing is repaired silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import verifier
from scenario_tests.faults.conftest import furnished
from scenario_tests.faults.crowd import Crowd
from scenario_tests.faults.ground import Ground
from scenario_tests.faults.proof import QUIET_LIMIT, databases, holds
from scenario_tests.shop import Shop
from scenario_tests.wire import Wire

pytestmark = [pytest.mark.services, pytest.mark.cost(30, "backup")]


@pytest.fixture
def own_ground(ground: Ground, tmp_path: Path) -> Iterator[Ground]:
    """The books do not agree any more after this test: nobody else may stand on it."""
    own = furnished(ground.servers, tmp_path)
    yield own
    own.close()


@pytest.mark.parametrize("service", ["shop_manager", "shop", "risk", "payment", "fulfillment"])
def test_what_a_restored_database_is_behind_with_is_found(own_ground: Ground, service: str) -> None:
    wire = Wire(own_ground.stage)
    # Given a backup, and orders that ended after it
    _orders_end(own_ground, Shop(own_ground.stage, wire, "before"))
    backup = own_ground.back_up(service)
    later = _orders_end(own_ground, Shop(own_ground.stage, wire, "after"))
    # When the database is lost, and the backup takes its place
    own_ground.stage.kill(service)
    own_ground.restore(service, backup)
    own_ground.stage.start(service)
    # Then each of these orders is named
    found = _drifts(own_ground)
    named = {clerk for clerk, _ in found}
    assert later <= named, f"not named: {later - named}"
    # And it stays so until a person decides
    _orders_end(own_ground, Shop(own_ground.stage, wire, "later"), then_holds=False)
    assert found <= _drifts(own_ground)
    wire.close()


def _orders_end(ground: Ground, shop: Shop, *, then_holds: bool = True) -> set[str]:
    """Orders of every fate come and end. Returns those that were completed."""
    crowd = Crowd(ground.stage, shop, 1)
    crowd.comes(10)
    crowd.goes_home(QUIET_LIMIT)
    crowd.close()
    if then_holds:
        holds(ground.stage)
    return {order.id for order in crowd.orders if order.fate.ends[0] == "completed"}


def _drifts(ground: Ground) -> set[tuple[str | None, str]]:
    """(Clerk, invariant) of each."""
    return {(drift.clerk, drift.invariant) for drift in verifier.check(databases(ground.stage))}

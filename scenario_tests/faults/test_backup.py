"""One service's database comes from an older backup: `clerk verify` names every order that it has lost, and nothing is
repaired silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import verifier
from scenario_tests.api_client import ApiClient
from scenario_tests.faults.conftest import started_environment
from scenario_tests.faults.environment import Environment
from scenario_tests.faults.final_checks import QUIET_LIMIT, databases, holds
from scenario_tests.faults.load_generator import LoadGenerator
from scenario_tests.shop import Shop

pytestmark = [pytest.mark.services, pytest.mark.cost(30, "backup")]


@pytest.fixture
def own_environment(environment: Environment, tmp_path: Path) -> Iterator[Environment]:
    """Its own five databases: after this test they contradict each other, so no other test may use them."""
    own = started_environment(environment.servers, tmp_path)
    yield own
    own.close()


@pytest.mark.parametrize("service", ["shop_manager", "shop", "risk", "payment", "fulfillment"])
def test_what_a_restored_database_is_behind_with_is_found(own_environment: Environment, service: str) -> None:
    api = ApiClient(own_environment.harness)
    # Given a backup, and orders that ended after it
    _orders_end(own_environment, Shop(own_environment.harness, api, "before"))
    backup = own_environment.back_up(service)
    later = _orders_end(own_environment, Shop(own_environment.harness, api, "after"))
    # When the database is lost, and the backup takes its place
    own_environment.harness.kill(service)
    own_environment.restore(service, backup)
    own_environment.harness.start(service)
    # Then each of these orders is named
    found = _violations(own_environment)
    named = {clerk for clerk, _ in found}
    assert later
    assert later <= named, f"not named: {later - named}"
    # And it stays so until a person decides
    _orders_end(own_environment, Shop(own_environment.harness, api, "later"), then_holds=False)
    assert found <= _violations(own_environment)
    api.close()


def _orders_end(environment: Environment, shop: Shop, *, then_holds: bool = True) -> set[str]:
    """Open orders of every profile and wait for their ends. Returns those that were completed."""
    load = LoadGenerator(environment.harness, shop, 1)
    load.opens_orders(10)
    load.all_end(QUIET_LIMIT)
    load.close()
    if then_holds:
        holds(environment.harness)
    return {order.id for order in load.orders if order.profile.ends[0] == "completed"}


def _violations(environment: Environment) -> set[tuple[str | None, str]]:
    """(Clerk, invariant) of each."""
    return {(violation.clerk, violation.invariant) for violation in verifier.check(databases(environment.harness))}

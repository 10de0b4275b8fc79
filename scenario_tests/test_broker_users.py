"""From one broker user for all services to one for each, while customers order: docs/how-to/deploy.md (S13)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from messaging.rabbitmq.url import user_in
from scenario_tests.harness import SERVICES
from scenario_tests.services_harness import ServicesHarness
from scenario_tests.shop import Shop

pytestmark = pytest.mark.services
BROKER = ("CLERK_BROKER_URL", "CLERK_BROKER_SHARED_USER")


@pytest.fixture
def services(shop: Shop) -> Iterator[ServicesHarness]:
    """The five processes; in the end each is logged in as itself again."""
    harness = shop.harness
    assert isinstance(harness, ServicesHarness)
    if not harness.knows_senders:
        pytest.skip("the broker is not ours: all services share its one user")
    yield harness
    for service in SERVICES:
        own = harness.broker.variables(service)
        if {name: harness.process(service).variables.get(name) for name in BROKER} != {
            name: own.get(name) for name in BROKER
        }:
            log_in(harness, service, own)


def become(harness: ServicesHarness, service: str, variables: dict[str, str]) -> None:
    """From its next start on the service's process has these variables in place of those that it has for the broker."""
    process = harness.process(service)
    kept = {name: value for name, value in process.variables.items() if name not in BROKER}
    process.variables = kept | variables


def log_in(harness: ServicesHarness, service: str, variables: dict[str, str]) -> None:
    """Restart the service's process with these variables in place of those that it has for the broker."""
    become(harness, service, variables)
    harness.stop(service)
    harness.start(service)


def test_S13_services_change_over_one_by_one_and_no_order_and_no_message_is_lost(
    shop: Shop, services: ServicesHarness
) -> None:
    shop.stocks("SQUEAKY-BONE", 50)
    admin = services.broker.admin_url
    shared = {"CLERK_BROKER_SHARED_USER": user_in(admin)}
    # Given all five as one user, whom all believe
    with contextlib.ExitStack() as all_down:
        for service in SERVICES:
            all_down.enter_context(shop.without(service))
            become(services, service, shared | {"CLERK_BROKER_URL": admin})
    parked = {each["id"] for each in shop.parked()}
    # When each gets its own user, one after the other, ShopManager last
    for service in reversed(SERVICES):
        clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
        log_in(services, service, shared | services.broker.variables(service))
        clerk.pays().gets_shipped().becomes("completed")
    # And then none of them believes the one user any more
    for service in reversed(SERVICES):
        clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
        log_in(services, service, services.broker.variables(service))
        clerk.pays().gets_shipped().becomes("completed")
    # Then every message was believed
    assert {each["id"] for each in shop.parked()} == parked
    # And one that the old user sends, is not
    forged = shop.forges_command("ShipOrder", f"clk_ghost_{shop.suffix}", "shipping", {}, user_in(admin))
    shop.has_parked_as_forged(forged, "shop_manager")

"""Somebody is told what is stuck: once that it is there, once that it grows, once that it is over, whatever fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from scenario_tests.api_client import ApiClient
from scenario_tests.conftest import harness_name
from scenario_tests.harness import Harness
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.shop import Shop
from scenario_tests.waiting import until
from shop_manager.alerts.tests.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver
from shop_manager.engine.tables import alert_schema

QUIET = 4
LEASE_IS_OVER = 240.0
"""Seconds after which what a ShopManager had taken when it was killed has come from another one."""


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def post() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture
def alerting(harness: Harness, receiver: HttpReceiver, post: MailReceiver, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose ShopManager tells these two."""
    variables = {
        "CLERK_ALERT_WEBHOOK": receiver.url,
        "CLERK_ALERT_EMAIL": "night@example.org",
        "CLERK_ALERT_FROM": "clerk@shop.example",
        "CLERK_ALERT_SMTP_HOST": "127.0.0.1",
        "CLERK_ALERT_SMTP_PORT": str(post.port),
        "CLERK_ALERT_SMTP_TLS": "none",
        "CLERK_ALERT_WAIT": "3",
        "CLERK_ALERT_QUIET": str(QUIET),
        "CLERK_PUBLIC_URL": "https://shop.example/orders",
    }
    running = _services(harness, variables) if harness_name() == "services" else _embedded(tmp_path, variables)
    with running as its_harness:
        api = ApiClient(its_harness)
        yield Shop(its_harness, api, "told")
        api.close()


@contextmanager
def _embedded(folder: Path, variables: dict[str, str]) -> Iterator[Harness]:
    from scenario_tests.embedded_harness import EmbeddedHarness  # noqa: PLC0415  # as in conftest.py

    running = EmbeddedHarness(folder / "alerting", variables)
    api = ApiClient(running)
    Shop(running, api, "").set_up()
    api.close()
    yield running
    running.close()


@contextmanager
def _services(harness: Harness, variables: dict[str, str]) -> Iterator[Harness]:
    from scenario_tests.services_harness import ServicesHarness  # noqa: PLC0415  # as in conftest.py

    assert isinstance(harness, ServicesHarness)
    process = harness.process("shop_manager")
    harness.stop("shop_manager")
    before, process.variables = process.variables, process.variables | variables
    harness.for_managers = variables
    harness.start("shop_manager")
    yield harness
    harness.stop("shop_manager")
    process.variables, harness.for_managers = before, {}
    harness.start("shop_manager")


def at_the_warehouse(shop: Shop, many: int) -> list[OrderUnderTest]:
    """Orders that wait for the warehouse."""
    ada = shop.customer("ada", token="tok_ok", limit=10_000_000)
    orders = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(many)]
    return [each.is_at("shipping", "waiting") for each in orders]


def what_is_stuck(shop: Shop) -> list[dict[str, Any]]:
    """The causes that the home page shows."""
    found: Any = shop.api.get("shop_manager", "/ops/summary", shop.harness.keys.operator)
    return list(found["stuck"]["causes"])


def waiting(shop: Shop, *channels: str) -> int:
    """How many deliveries of these channels are not noted as delivered."""
    wait = alert_schema.deliveries.c.next_at.is_not(None) & alert_schema.deliveries.c.channel.in_(channels)
    with shop.harness.database("shop_manager").read() as tx:
        return int(tx.execute(select(func.count()).where(wait)).scalar_one())


def test_thirty_that_get_stuck_are_one_alert_their_growth_another_and_their_end_the_last(
    alerting: Shop, receiver: HttpReceiver, post: MailReceiver
) -> None:
    shop = alerting

    def told() -> list[tuple[str, int]]:
        return [(each["what"], each["count"]) for each in receiver.alerts]

    # Given two ShopManagers, and sixty orders that wait for the warehouse
    shop.stocks("SQUEAKY-BONE", 100)
    orders = at_the_warehouse(shop, 60)
    with shop.another_manager():
        # When the warehouse forgets thirty of them
        shop.lets_time_pass(*orders[:30])
        until(lambda: told() == [("stuck", 30)] and len(post.received) == 1, lambda: f"one alert: {told()}")
        # Then the alert agrees with the home page, and leads to the orders
        [cause] = what_is_stuck(shop)
        [alert] = receiver.alerts
        assert alert["cause"] == {name: cause[name] for name in ("process", "step", "service", "kind", "code")}
        assert alert["money_at_risk"] == cause["money_at_risk"]
        assert alert["link"].startswith("https://shop.example/orders/dashboard/clerks?stuck=yes&")
        assert "ada-" not in str(alert) and "example.org" not in str(alert)
        # When the receiver is down while thirty more are forgotten, and a ShopManager dies
        until(lambda: waiting(shop, "webhook", "email") == 0, "both deliveries are noted")
        receiver.status = 503
        shop.lets_time_pass(*orders[30:])
        until(lambda: receiver.refused > 0 and len(post.received) == 2, "the mail has come, the webhook is refused")
        until(lambda: waiting(shop, "email") == 0, "the mail is noted")
        if harness_name() == "services":
            shop.kills("shop_manager")
            shop.restarts("shop_manager")
        # And all are shipped
        for order in orders:
            order.gets_shipped()
        until(lambda: len(post.received) == 3, "the mail that it is over", LEASE_IS_OVER)
        assert told() == [("stuck", 30)]
        # Then whatever was missed comes when the receiver is back, once each and in order
        receiver.status = 204
        until(lambda: len(receiver.alerts) == 3, lambda: f"all three: {told()}", LEASE_IS_OVER)
        until(lambda: waiting(shop, "webhook", "email") == 0, "all deliveries are noted")
    assert told() == [("stuck", 30), ("grown", 60), ("over", 0)]
    assert len({each["id"] for each in receiver.alerts}) == 3
    assert {each["episode"] for each in receiver.alerts} == {receiver.alerts[0]["id"]}
    assert [each["Clerk-Alert-Id"] for each in post.received] == [each["id"] for each in receiver.alerts]


def test_S6_an_order_completes_while_a_receiver_of_alerts_hangs(alerting: Shop, receiver: HttpReceiver) -> None:
    shop, receiver.hangs = alerting, Event()
    shop.stocks("SQUEAKY-BONE", 5)
    [forgotten] = at_the_warehouse(shop, 1)
    shop.lets_time_pass(forgotten)
    until(lambda: receiver.asked > 0, "the receiver is asked, and says nothing", LEASE_IS_OVER)
    shop.customer("bob", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
    forgotten.gets_shipped().becomes("completed")

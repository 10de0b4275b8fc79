"""`clerk up` killed with kill -9 in the middle of orders and started again on the same data folder loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.shop import Shop, StockLevel
from scenario_tests.up_harness import UpHarness

pytestmark = pytest.mark.embedded


@contextmanager
def opened(folder: Path) -> Iterator[Shop]:
    harness = UpHarness(folder / "data")
    api = ApiClient(harness)
    try:
        yield Shop(harness, api, "up")
    finally:
        api.close()
        harness.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as running:
        yield running


def test_killed_in_the_middle_every_order_goes_on(shop: Shop) -> None:
    # Given orders at every step, and one that is being undone
    shop.stocks("SQUEAKY-BONE", 30)
    ada, bob = shop.customer("ada", token="tok_ok"), shop.customer("bob")
    shopping = bob.comes_in().fills_cart({"SQUEAKY-BONE": 1})
    at_payment = bob.orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    packing = ada.orders({"SQUEAKY-BONE": 1}).is_at("shipping", "waiting")
    undone = bob.orders({"SQUEAKY-BONE": 1}).waits_for("pay").cancels()
    under_way = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(8)]
    # When the process is killed and started again
    shop.kills("all")
    shop.restarts("all")
    # Then each goes on where it was
    shopping.places_order().pays()
    at_payment.pays()
    for clerk in [shopping, at_payment, packing, *under_way]:
        clerk.gets_shipped().becomes("completed")
    undone.becomes("canceled")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=19, reserved=0, shipped=11)


def test_killed_again_and_again_while_an_order_is_under_way(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 3)
    bob = shop.customer("bob", token="tok_capture_refused")
    with shop.books_stay_as_they_are():
        clerk = bob.orders({"SQUEAKY-BONE": 3})
        for _ in range(3):
            shop.kills("all")
            shop.restarts("all")
        clerk.becomes("failed", because="capture_refused")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=0)

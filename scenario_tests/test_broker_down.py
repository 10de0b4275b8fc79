"""The broker is away: sessions are still opened, and everything goes on when it is back."""

from __future__ import annotations

import pytest

from scenario_tests.shop import Shop, StockLevel


def test_a_session_is_opened_while_the_broker_is_down(shop: Shop) -> None:
    # Given a broker that is down
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.without_broker():
        # Then a session is opened all the same
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        assert clerk.session()["status"] == "processing"
    # And its order goes through when the broker is back
    clerk.gets_shipped().becomes("completed", limit=60)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)


def test_an_order_that_was_placed_while_the_broker_is_down_is_on_its_way_to_the_payment(shop: Shop) -> None:
    # Given a customer who shops while the broker is down
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").comes_in().waits_for("place_order").fills_cart({"SQUEAKY-BONE": 2})
    with shop.without_broker():
        # Then the payment is told not to be there before the order, and to be on its way after it
        assert clerk.tries_to_pay("tok_ok", at="shop_manager") == (409, "order_not_placed")
        clerk.places_order()
        assert clerk.tries_to_pay("tok_ok", at="shop_manager") == (409, "not_ready_yet")
    # And the order goes through when the broker is back
    clerk.waits_for("pay").pays("tok_ok").gets_shipped().becomes("completed", limit=60)


def test_a_broker_restarted_in_the_middle_of_orders_loses_nothing(shop: Shop) -> None:
    # Given orders at every step
    shop.stocks("SQUEAKY-BONE", 20)
    ada, bob = shop.customer("ada", token="tok_ok"), shop.customer("bob")
    at_payment = bob.orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    packing = ada.orders({"SQUEAKY-BONE": 1}).is_at("shipping", "waiting")
    under_way = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(6)]
    # When the broker goes and comes back
    with shop.without_broker():
        # And customers go on meanwhile
        assert at_payment.tries_to_pay("tok_ok") is None
    # Then every order is completed, once
    for clerk in [at_payment, packing, *under_way]:
        clerk.gets_shipped().becomes("completed", limit=60)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=12, reserved=0, shipped=8)


def test_a_deadline_that_fell_into_an_outage_is_moved(shop: Shop) -> None:
    # Given a customer whose time runs out while the broker is down
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}, expires_in=5).waits_for("pay")
    with shop.without_broker():
        clerk.outlives_its_deadline()
    # Then an outage does not expire the order (T5): its deadline is moved, and only then does it end
    clerk.becomes("expired", because="session_expired")
    assert [line["what"] for line in clerk.timeline()].count("deadlines_moved") == 1


@pytest.mark.services
def test_a_broker_killed_in_the_middle_of_orders_loses_nothing(shop: Shop) -> None:
    # Given orders under way, half of which will fail
    shop.stocks("SQUEAKY-BONE", 20)
    ada, bob = shop.customer("ada", token="tok_ok"), shop.customer("bob", token="tok_capture_refused")
    good = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(6)]
    bad = [bob.orders({"SQUEAKY-BONE": 1}) for _ in range(6)]
    # When the broker is killed with kill -9
    shop.harness.kill_broker()
    under_way = [clerk for clerk in bad if clerk.session()["status"] in ("processing", "canceling")]
    shop.harness.start_broker()
    assert under_way, "nothing was under way when the broker was killed"
    # Then all of them end as they should
    for clerk in good:
        clerk.gets_shipped().becomes("completed", limit=60)
    for clerk in bad:
        clerk.becomes("failed", because="capture_refused", limit=60)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=14, reserved=0, shipped=6)
    assert shop.credit_of("ada").reserved == shop.credit_of("bob").reserved == 0

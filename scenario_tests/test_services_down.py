"""A service is away: for a while, for good before the pivot, and after it."""

from __future__ import annotations

import pytest

from scenario_tests.shop import Shop, StockLevel

ALL_DONE = (
    "shopping done",
    "credit done",
    "payment done",
    "stock done",
    "capture done",
    "shipping done",
    "settle done",
)


@pytest.mark.parametrize("service", ["shop", "risk", "payment", "fulfillment"])
def test_an_order_waits_for_a_service_that_is_away_for_a_while(shop: Shop, service: str) -> None:
    # Given a service that is down when the order needs it
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.without(service):
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        clerk.is_at(FIRST_STEP[service], "asked")
    # Then, when it is back, the order goes on as if nothing had been
    clerk.gets_shipped().becomes("completed")
    clerk.went_through(*ALL_DONE)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)


FIRST_STEP = {"shop": "shopping", "risk": "credit", "payment": "payment", "fulfillment": "stock"}


def test_an_order_waits_for_shop_manager(shop: Shop) -> None:
    # Given a customer at the cash desk while ShopManager is down
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    with shop.without("shop_manager"):
        # When they pay, the payment service takes it
        assert clerk.tries_to_pay("tok_ok") is None
    # Then ShopManager hears of it as soon as it is back
    clerk.gets_shipped().becomes("completed")
    clerk.went_through(*ALL_DONE)


@pytest.mark.parametrize(
    ("service", "went"),
    [
        ("shop", ("shopping undone",)),
        ("risk", ("shopping done", "credit undone", "shopping undone")),
        ("payment", ("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")),
        (
            "fulfillment",
            (
                "shopping done",
                "credit done",
                "payment done",
                "stock undone",
                "payment undone",
                "credit undone",
                "shopping undone",
            ),
        ),
    ],
)
def test_a_service_that_stays_away_before_the_pivot_ends_the_order(
    shop: Shop, service: str, went: tuple[str, ...]
) -> None:
    # Given a service that does not come back in the time of the session
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are():
        with shop.without(service):
            clerk = ada.orders({"SQUEAKY-BONE": 2}).is_at(FIRST_STEP[service], "asked")
            assert clerk.is_expired_by_the_shop() is None
            # Then the order is being undone; nobody knows what that service did, so a person is told
            clerk.becomes("canceling").is_stuck("undo_failing")
        # And it ends by itself when the service is back
        clerk.becomes("expired", because="session_expired")
    clerk.went_through(*went)
    clerk.is_not_stuck()
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)


def test_a_capture_without_an_answer_is_stuck_and_never_undone_blindly(shop: Shop) -> None:
    # Given a payment service that is gone when the money should be taken
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back("CapturePayment") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        shop.harness.stop("payment")
    try:
        # Then it is stuck after a while, and for the customer it is still being processed
        shop.lets_time_pass(clerk)
        clerk.is_stuck("no_answer")
        assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    finally:
        shop.harness.start("payment")
    # And it heals when the service is back
    clerk.gets_shipped().becomes("completed")
    clerk.went_through(*ALL_DONE)
    clerk.is_not_stuck()


def test_a_settlement_without_an_answer_is_stuck_and_heals(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).is_at("shipping", "waiting")
    with shop.without("risk"):
        clerk.gets_shipped().is_at("settle", "asked")
        shop.lets_time_pass(clerk)
        clerk.is_stuck("no_answer")
    clerk.becomes("completed")
    clerk.went_through(*ALL_DONE)
    assert shop.credit_of("ada").reserved == 0


def test_the_other_services_go_on_while_one_is_away(shop: Shop) -> None:
    # Given a warehouse that is not reached
    shop.stocks("SQUEAKY-BONE", 5)
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-to-go", kind="digital")
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back("AllocateStock") as held:
        bones = ada.orders({"SQUEAKY-BONE": 1})
        held.until_there(bones.id)
        # Then whoever does not need it is served
        ada.orders({"BARKING-MIXTAPE": 1}, shop=branch).becomes("completed")
    bones.gets_shipped().becomes("completed")

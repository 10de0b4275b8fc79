"""An undo that fails: it is never silently final, the earlier steps wait, and it goes on once it is repaired."""

from __future__ import annotations

from messaging.worker import TRIES
from scenario_tests.shop import PRICE, Shop

UNDONE = ("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


def test_an_undo_without_an_answer_until_risk_is_repaired(shop: Shop) -> None:
    # Given a risk service whose reservations cannot be deleted, and whose notice that it has parked the undo is late
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        with shop.table_is_broken("risk", "reservations"), shop.holds_back_notices():
            clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels()
            # Then, asked again and again without an answer, the Clerk is stuck; its customer sees it being canceled
            clerk.is_stuck("undo_failing")
            assert clerk.session()["status"] == "canceling"
            # And the shop, which comes after it, has not been asked yet (U1)
            clerk.went_through("shopping done", "credit done", "payment undone")
            assert shop.credit_of("ada").reserved == 2 * PRICE
        # When it is repaired, it ends by itself
        clerk.becomes("canceled", limit=60)
    clerk.went_through(*UNDONE)
    clerk.is_not_stuck()
    assert shop.credit_of("ada").reserved == 0


def test_an_undo_that_risk_has_parked_until_it_is_repaired(shop: Shop) -> None:
    # Given the same, but risk has tried the undo as often as it does before ShopManager asks again
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        with shop.table_is_broken("risk", "reservations"), shop.delivers_often("ReleaseCredit", TRIES):
            clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels()
            # Then the Clerk is stuck as soon as risk tells that it has parked the command (B2)
            clerk.is_stuck("parked_message")
            assert clerk.session()["status"] == "canceling"
            clerk.went_through("shopping done", "credit done", "payment undone")
            assert shop.credit_of("ada").reserved == 2 * PRICE
        # When it is repaired, it ends by itself
        clerk.becomes("canceled", limit=60)
    clerk.went_through(*UNDONE)
    clerk.is_not_stuck()
    assert shop.credit_of("ada").reserved == 0


def test_an_undo_that_fails_does_not_hold_up_others(shop: Shop) -> None:
    # Given an order that is stuck in its undo
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.table_is_broken("shop", "orders"), shop.holds_back_notices():
        stuck = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay").cancels()
        stuck.is_at("shopping", "undoing")
        # Then another one passes it
        shop.customer("bob", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
        stuck.is_stuck("undo_failing")
    stuck.becomes("canceled", limit=60)

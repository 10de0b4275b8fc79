"""After the pivot a limit that has passed undoes nothing: stuck, or the step's `overdue` command is asked (P1)."""

from __future__ import annotations

from scenario_tests.shop import PRICE, Shop, StockLevel


def test_a_warehouse_that_is_overdue_makes_the_order_stuck_until_it_ships(shop: Shop) -> None:
    # Given a paid order that the warehouse has forgotten
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).is_at("shipping", "waiting")
    shop.lets_time_pass(clerk)
    # Then operators see it, and nothing is undone
    clerk.is_stuck("overdue")
    assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    # And it goes on when the goods are shipped at last
    clerk.gets_shipped().becomes("completed")
    clerk.is_not_stuck()
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)


def test_a_service_that_answers_that_it_cannot_is_overdue_with_its_words_and_never_called_silent(shop: Shop) -> None:
    # Given a shipped order that risk answers, again and again, it cannot settle
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).is_at("shipping", "waiting")
    with shop.answers_that_it_cannot("SettleCredit", "ledger_closed", "the ledger is closed until six"):
        clerk.gets_shipped().has_been_told("do_failed", "settle")
        # When the step's limit passes between two answers
        shop.lets_time_pass(clerk)
        # Then operators read what risk says, and not that it says nothing
        clerk.is_stuck("overdue")
        seen = clerk.for_operators()
        assert (seen["stuck"]["code"], seen["stuck"]["service"]) == ("ledger_closed", "risk")
        assert "risk cannot do settle: the ledger is closed until six" in seen["headline"]
        assert "silent" not in seen["headline"]
        # And no limit that has passed is promised any more
        assert [each["what"] for each in seen["deadlines"]] == ["resend"]
    # And it goes on when risk can
    clerk.becomes("completed", limit=60)
    clerk.is_not_stuck()


def test_an_invoice_that_is_never_paid_is_a_loss_that_risk_hears_of(shop: Shop) -> None:
    # Given goods that were shipped on invoice
    shop.stocks("SQUEAKY-BONE", 5)
    branch = shop.branch("kennel-supplies", allows_invoice=True)
    bob = shop.customer("bob", kind="trusted", limit=10 * PRICE)
    clerk = bob.orders({"SQUEAKY-BONE": 2}, shop=branch).gets_shipped().waits_for("pay")
    score = shop.credit_of("bob").score
    # When two weeks have passed
    shop.lets_time_pass(clerk)
    # Then the order is closed as a loss, and the customer owes it
    clerk.becomes("completed")
    assert clerk.document()["payment"]["status"] == "lost"
    standing = shop.credit_of("bob")
    assert (standing.reserved, standing.outstanding) == (0, 2 * PRICE)
    assert standing.score < score
    # And can no longer pay it here
    assert clerk.tries_to_pay("tok_ok") == (409, "session_ended")

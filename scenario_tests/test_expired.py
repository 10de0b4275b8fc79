"""Time runs out, at each step: before the pivot all of it is undone, after it the order goes on."""

from __future__ import annotations

import pytest

from scenario_tests.shop import Shop, StockLevel

DONE = ("shopping done", "credit done", "payment done", "stock done")
SOON = 2
"""Seconds a session is given here."""


def test_expired_while_shopping(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        clerk = ada.comes_in(expires_in=SOON).fills_cart({"SQUEAKY-BONE": 2})
        clerk.becomes("expired", because="session_expired")
    clerk.went_through("shopping undone")
    assert clerk.tries_to_order() == (409, "session_ended")


def test_expired_at_the_cash_desk(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2}, expires_in=SOON).waits_for("pay")
        clerk.becomes("expired", because="session_expired")
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")
    assert clerk.tries_to_pay("tok_ok") == (409, "session_ended")


@pytest.mark.parametrize(
    ("command", "step", "before"),
    [
        ("StartShopping", "shopping", 0),
        ("ReserveCredit", "credit", 1),
        ("AuthorizePayment", "payment", 2),
        ("AllocateStock", "stock", 3),
    ],
)
def test_expired_before_a_service_was_reached(shop: Shop, command: str, step: str, before: int) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are(), shop.holds_back(command) as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2}, expires_in=SOON)
        held.until_there(clerk.id)
        clerk.becomes("expired", because="session_expired")
        held.let_go()
        clerk.has_ignored("late")
    undone = [f"{each.split()[0]} undone" for each in (f"{step} ?", *reversed(DONE[:before]))]
    clerk.went_through(*DONE[:before], *undone)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)


@pytest.mark.parametrize("command", ["ReserveCredit", "AuthorizePayment", "AllocateStock"])
def test_an_answer_that_comes_after_the_expiry_changes_nothing(shop: Shop, command: str) -> None:
    # Given a step that was done in time, whose answer got lost on the way
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are(), shop.holds_back_answer(command) as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2}, expires_in=SOON)
        held.until_there(clerk.id)
        clerk.becomes("expired", because="session_expired")
        version = clerk.session()["version"]
        # When it turns up after the end
        held.let_go()
        clerk.has_ignored("late")
    # Then the end stays the end
    assert clerk.session()["status"] == "expired"
    assert clerk.session()["version"] == version
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)
    assert shop.credit_of("ada").reserved == 0


def test_a_step_has_a_limit_of_its_own(shop: Shop) -> None:
    # Given a session with plenty of time, and a service that is not reached
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are(), shop.holds_back("ReserveCredit"):
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        # Then the step's limit ends it
        clerk.becomes("expired", because="step_expired")
    clerk.went_through("shopping done", "credit undone", "shopping undone")


def test_the_shop_may_end_a_session_before_its_time(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay")
        assert clerk.is_expired_by_the_shop() is None
        clerk.becomes("expired", because="session_expired")
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


def test_past_the_pivot_nothing_expires(shop: Shop) -> None:
    # Given a paid order whose session is over before the warehouse ships
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}, expires_in=SOON)
    clerk.is_at("shipping", "waiting").outlives_its_deadline()
    assert clerk.is_expired_by_the_shop() == (409, "past_the_pivot")
    # Then it is completed all the same
    clerk.gets_shipped().becomes("completed")


def test_a_deadline_that_meets_a_cancel_is_one_undo(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are(), shop.holds_back("VoidPayment") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2}, expires_in=6).waits_for("pay").cancels()  # before its time, at any rate
        held.until_there(clerk.id)
        clerk.outlives_its_deadline()
        assert clerk.is_expired_by_the_shop() is None
        held.let_go()
        clerk.becomes("canceled")
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")

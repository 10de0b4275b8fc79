"""A customer who changes their mind, at each step: before the pivot all of it is undone, after it nothing is."""

from __future__ import annotations

import pytest

from scenario_tests.shop import PRICE, Shop, StockLevel

DONE = ("shopping done", "credit done", "payment done", "stock done")


def test_cancelled_while_shopping(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        clerk = ada.comes_in().fills_cart({"SQUEAKY-BONE": 2}).cancels().becomes("canceled")
    clerk.went_through("shopping undone")


def test_cancelled_at_the_cash_desk(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels().becomes("canceled")
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")
    assert shop.credit_of("ada").reserved == 0


@pytest.mark.parametrize(
    ("command", "step", "before"),
    [
        ("StartShopping", "shopping", 0),
        ("ReserveCredit", "credit", 1),
        ("AuthorizePayment", "payment", 2),
        ("AllocateStock", "stock", 3),
    ],
)
def test_cancelled_while_a_service_has_not_been_reached(shop: Shop, command: str, step: str, before: int) -> None:
    # Given an order whose next command has not arrived
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are(), shop.holds_back(command) as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        # When it is called off
        clerk.cancels().becomes("canceled")
        # Then that step is undone too, first: nobody knows whether it was done (U2, U7)
        undone = [f"{each.split()[0]} undone" for each in (f"{step} ?", *reversed(DONE[:before]))]
        clerk.went_through(*DONE[:before], *undone)
        # And the command that arrives at last finds its step called off (U3)
        held.let_go()
        clerk.has_ignored("late")
    clerk.becomes("canceled")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)


@pytest.mark.parametrize("command", ["StartShopping", "ReserveCredit", "AuthorizePayment", "AllocateStock"])
def test_cancelled_while_the_answer_is_on_its_way(shop: Shop, command: str) -> None:
    # Given an order whose step is done, but ShopManager has not heard of it
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are(), shop.holds_back_answer(command) as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        # When it is called off, what was done is undone
        clerk.cancels().becomes("canceled")
        # And the late answer revives nothing (E1)
        held.let_go()
        clerk.has_ignored("late")
    clerk.becomes("canceled")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)
    assert shop.credit_of("ada").reserved == 0


def test_cancelled_by_mistake_twice_is_cancelled_once(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    clerk.cancels().cancels().becomes("canceled")
    clerk.cancels()
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


def test_an_invoice_may_be_cancelled_before_the_goods_are_called_for(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    branch = shop.branch("kennel-supplies", allows_invoice=True)
    bob = shop.customer("bob", kind="trusted")
    with shop.books_stay_as_they_are(), shop.holds_back("AllocateStock") as held:
        clerk = bob.orders({"SQUEAKY-BONE": 1}, shop=branch)
        held.until_there(clerk.id)
        clerk.cancels().becomes("canceled")
    clerk.went_through("shopping done", "credit done", "stock undone", "credit undone", "shopping undone")


def test_past_the_pivot_while_the_money_is_being_taken(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.holds_back_answer("CapturePayment") as held:
        clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    clerk.gets_shipped().becomes("completed")


def test_past_the_pivot_while_the_warehouse_packs(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).is_at("shipping", "waiting")
    assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    clerk.gets_shipped().becomes("completed")
    assert clerk.document()["payment"]["amount"] == 2 * PRICE


def test_past_the_pivot_while_the_order_is_settled(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.holds_back("SettleCredit") as held:
        clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).gets_shipped()
        held.until_there(clerk.id)
        assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    clerk.becomes("completed")


def test_past_the_pivot_of_an_invoice_the_goods_are_on_their_way(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    branch = shop.branch("kennel-supplies", allows_invoice=True)
    clerk = shop.customer("bob", kind="trusted").orders({"SQUEAKY-BONE": 1}, shop=branch)
    clerk.is_at("shipping", "waiting")
    assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    clerk.gets_shipped().waits_for("pay")
    assert clerk.tries_to_cancel() == (409, "past_the_pivot")
    clerk.pays().becomes("completed")


def test_a_completed_order_cannot_be_cancelled(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
    assert clerk.tries_to_cancel() == (409, "session_ended")
    assert clerk.session()["status"] == "completed"

"""What a Clerk looks like from outside, at each of its moments: status, money, links, and never that it is stuck."""

from __future__ import annotations

from typing import Any

import pytest

from domain.times import days, minutes, seconds, to_wire
from shop_manager.processes.definition import Process
from shop_manager.processes.digital import DIGITAL
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD
from shop_manager.public import public_session
from shop_manager.tests.play import NOON, Play, given

STATUSES = {"open", "processing", "requires_action", "completed", "canceling", "canceled", "expired", "failed"}
PAID = {"status": "authorized", "amount": 2590}


def seen(play: Play) -> dict[str, Any]:
    return public_session(play.saga, [step.name for step in play.process.steps])


def test_a_shopping_customer_is_told_what_to_do_where_and_until_when() -> None:
    session = seen(given(STANDARD).started())
    assert session["status"] == "open"
    assert session["next_action"] == {
        "type": "place_order",
        "href": "/shop/carts/clk_1/order",
        "expires_at": to_wire(NOON + minutes(30)),
    }
    assert session["links"]["cart"] == "/shop/carts/clk_1"
    assert [line["state"] for line in session["progress"]] == ["waiting", *["to_do"] * 6]


def test_paying_is_the_customers_turn_until_the_earlier_deadline() -> None:
    by_step = seen(given(STANDARD).started().goes_through("shopping", "credit"))
    assert by_step["status"] == "requires_action"
    assert by_step["next_action"] == {
        "type": "pay",
        "href": "/payment/clk_1",
        "expires_at": to_wire(NOON + minutes(15)),
    }
    assert by_step["links"]["payment"] == "/payment/clk_1" and "cart" not in by_step["links"]
    by_session = seen(given(STANDARD).started(minutes_long=10).goes_through("shopping", "credit"))
    assert by_session["next_action"]["expires_at"] == to_wire(NOON + minutes(10))


def test_an_invoice_is_the_customers_turn_after_the_pivot_and_has_its_own_time() -> None:
    play = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping")
    session = seen(play)
    assert session["status"] == "requires_action"
    assert session["next_action"]["expires_at"] == to_wire(NOON + days(14))
    assert "cancel" not in session["links"]


def test_past_the_pivot_there_is_nothing_to_cancel() -> None:
    play = given(STANDARD).started().goes_through("shopping", "credit", "payment")
    assert "cancel" in seen(play)["links"]
    play.goes_through("stock")
    assert play.saga.past_pivot
    assert "cancel" not in seen(play)["links"]


@pytest.mark.parametrize("process", [STANDARD, INVOICE, DIGITAL], ids=lambda process: process.reference)
def test_P3_before_the_pivot_nothing_says_that_the_order_is_confirmed(process: Process) -> None:
    play = given(process).started()
    while not play.saga.past_pivot:
        session = seen(play)
        assert session["status"] in ("open", "processing", "requires_action")
        assert session["messages"] == [] and "confirm" not in str(session)
        play.done(play.question().step, status="fine")


def test_the_money_is_told_honestly_while_it_is_undone_and_after() -> None:
    play = given(STANDARD).started().goes_through("shopping", "credit").done("payment", **PAID)
    assert seen(play)["payment_status"] == "authorized"
    play.refused("stock", "out_of_stock")
    undoing = seen(play)
    assert undoing["status"] == "canceling"
    assert undoing["failure"] == {
        "code": "out_of_stock",
        "step": "stock",
        "detail": "out of stock",
        "money": "the reservation on the card is being released",
    }
    play.replies("payment", "undone", section={"status": "voided"}).undone("credit").undone("shopping")
    ended = seen(play)
    assert (ended["status"], ended["payment_status"]) == ("failed", "voided")
    assert ended["failure"]["money"] == "the reservation on the card was released"
    assert {line["step"]: line["state"] for line in ended["progress"]} == {
        "shopping": "undone",
        "credit": "undone",
        "payment": "undone",
        "stock": "refused",
        "capture": "skipped",
        "shipping": "skipped",
        "settle": "skipped",
    }
    assert set(ended["links"]) == {"self", "events"}


def test_what_was_never_paid_was_not_charged() -> None:
    play = given(STANDARD).started().goes_through("shopping").refused("credit", "credit_exceeded").undone("shopping")
    assert seen(play)["failure"]["money"] == "nothing was charged"


def test_returned_money_is_called_returned() -> None:
    play = given(STANDARD).started().goes_through("shopping", "credit").done("payment", **PAID).refused("stock", "no")
    play.replies("payment", "undone", section={"status": "refunded"})
    assert seen(play)["payment_status"] == "refunded"
    assert seen(play)["failure"]["money"] == "the money was returned"


def test_a_canceled_order_has_not_failed() -> None:
    play = given(STANDARD).started().cancelled()
    assert (seen(play)["status"], seen(play)["failure"]) == ("canceling", None)
    play.undone("shopping")
    assert (seen(play)["status"], seen(play)["failure"]) == ("canceled", None)


def test_an_expired_order_says_so() -> None:
    play = given(STANDARD).started().later(minutes(30)).woke().undone("shopping")
    session = seen(play)
    assert (session["status"], session["failure"]["code"]) == ("expired", "session_expired")


def test_E3_a_client_never_sees_that_a_clerk_is_stuck() -> None:
    play = given(STANDARD).started().goes_through("shopping", "credit", "payment", "stock").later(seconds(61)).woke()
    play.expect_stuck("no_answer")
    assert seen(play)["status"] == "processing"
    assert "stuck" not in str(seen(play))
    undoing = given(STANDARD).started().goes_through("shopping").cancelled()
    for _ in range(5):
        undoing.wakes_when_due()
    undoing.expect_stuck("undo_failing")
    assert seen(undoing)["status"] == "canceling"
    assert "stuck" not in str(seen(undoing))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("allocated", "reserved"),
        ("requested", "reserved"),
        ("shipped", "shipped"),
        ("delivered", "shipped"),
        ("released", "released"),
        ("gone fishing", "none"),
        (["odd"], "none"),
    ],
)
def test_fulfillment_has_four_words(found: Any, told: str) -> None:
    play = given(STANDARD).started().goes_through("shopping", "credit", "payment").done("stock", status=found)
    assert seen(play)["fulfillment_status"] == told


def test_an_invoice_that_was_never_paid_is_completed_and_the_customer_is_told() -> None:
    play = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping")
    play.later(days(14)).woke().done("collect", status="lost").done("settle", status="settled")
    session = seen(play)
    assert (session["status"], session["payment_status"]) == ("completed", "none")
    assert [note["code"] for note in session["messages"]] == ["invoice_not_paid"]


def test_the_customer_is_told_who_brings_the_parcel() -> None:
    play = given(STANDARD).started().goes_through("shopping", "credit", "payment", "stock", "capture")
    play.done("shipping", status="shipped", carrier="DHL", tracking="123")
    assert seen(play)["messages"] == [
        {"code": "shipped", "text": "the order has left the warehouse with DHL, tracking 123"}
    ]


def test_a_session_whose_process_was_taken_out_is_still_shown() -> None:
    play = given(STANDARD).started().cancelled().undone("shopping")
    session = public_session(play.saga, list(play.saga.steps))
    assert session["status"] == "canceled"
    assert [line["step"] for line in session["progress"]] == ["shopping"]


def test_a_services_odd_section_breaks_nothing() -> None:
    play = given(STANDARD).started()
    play.done("shopping", status=None, items="many", total="much")
    session = seen(play)
    assert session["items"] == [] and session["total"] == 0 and session["status"] in STATUSES

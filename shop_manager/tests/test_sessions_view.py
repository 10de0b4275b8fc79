"""What a Clerk looks like from outside, at each of its moments: status, money, links, and never that it is stuck."""

from __future__ import annotations

from typing import Any

import pytest

from domain.times import days, minutes, seconds, to_wire
from shop_manager.processes.definition import Process
from shop_manager.processes.digital import DIGITAL
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD
from shop_manager.saga.amending import MOST
from shop_manager.saga.happenings import Amended
from shop_manager.sessions.view import public_session
from shop_manager.tests.saga_harness import NOON, SagaHarness, given

STATUSES = {"open", "processing", "requires_action", "completed", "canceling", "canceled", "expired", "failed"}
PAID = {"status": "authorized", "amount": 2590}


def seen(clerk: SagaHarness) -> dict[str, Any]:
    return public_session(clerk.saga, [step.name for step in clerk.process.steps])


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
    clerk = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping")
    session = seen(clerk)
    assert session["status"] == "requires_action"
    assert session["next_action"]["expires_at"] == to_wire(NOON + days(14))
    assert not {"amend", "cancel"} & set(session["links"])


def test_past_the_pivot_there_is_nothing_to_cancel_and_nothing_to_amend() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit", "payment")
    assert {"amend", "cancel"} <= set(seen(clerk)["links"])
    clerk.goes_through("stock")
    assert clerk.saga.past_pivot
    assert not {"amend", "cancel"} & set(seen(clerk)["links"])


def test_the_link_to_amend_is_gone_with_the_last_change_that_a_session_takes() -> None:
    clerk = given(STANDARD).started()
    for number in range(MOST):
        assert seen(clerk)["links"]["amend"] == "/shop/session/clk_1"
        clerk.happens(Amended({"name": f"Ada {number}"}, "customer"))
    assert "amend" not in seen(clerk)["links"] and "cancel" in seen(clerk)["links"]


@pytest.mark.parametrize("process", [STANDARD, INVOICE, DIGITAL], ids=lambda process: process.reference)
def test_P3_before_the_pivot_nothing_says_that_the_order_is_confirmed(process: Process) -> None:
    clerk = given(process).started()
    while not clerk.saga.past_pivot:
        session = seen(clerk)
        assert session["status"] in ("open", "processing", "requires_action")
        assert session["messages"] == [] and "confirm" not in str(session)
        clerk.done(clerk.question().step, status="fine")


def test_the_money_is_told_honestly_while_it_is_undone_and_after() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit").done("payment", **PAID)
    assert seen(clerk)["payment_status"] == "authorized"
    clerk.refused("stock", "out_of_stock")
    undoing = seen(clerk)
    assert undoing["status"] == "canceling"
    assert undoing["failure"] == {
        "code": "out_of_stock",
        "step": "stock",
        "detail": "out of stock",
        "money": "the reservation on the card is being released",
    }
    clerk.replies("payment", "undone", section={"status": "voided"}).undone("credit").undone("shopping")
    ended = seen(clerk)
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
    clerk = given(STANDARD).started().goes_through("shopping").refused("credit", "credit_exceeded").undone("shopping")
    assert seen(clerk)["failure"]["money"] == "nothing was charged"


def test_returned_money_is_called_returned() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit").done("payment", **PAID).refused("stock", "no")
    clerk.replies("payment", "undone", section={"status": "refunded"})
    assert seen(clerk)["payment_status"] == "refunded"
    assert seen(clerk)["failure"]["money"] == "the money was returned"


def test_a_canceled_order_has_not_failed() -> None:
    clerk = given(STANDARD).started().cancelled()
    assert (seen(clerk)["status"], seen(clerk)["failure"]) == ("canceling", None)
    clerk.undone("shopping")
    assert (seen(clerk)["status"], seen(clerk)["failure"]) == ("canceled", None)


def test_an_expired_order_says_so() -> None:
    clerk = given(STANDARD).started().later(minutes(30)).woke().undone("shopping")
    session = seen(clerk)
    assert (session["status"], session["failure"]["code"]) == ("expired", "session_expired")


def test_E3_a_client_never_sees_that_a_clerk_is_stuck() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit", "payment", "stock").later(seconds(61)).woke()
    clerk.expect_stuck("no_answer")
    assert seen(clerk)["status"] == "processing"
    assert "stuck" not in str(seen(clerk))
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
        ("shipped", "shipped"),
        ("delivered", "shipped"),
        ("released", "released"),
        ("gone fishing", "none"),
        (["odd"], "none"),
    ],
)
def test_fulfillment_has_four_words(found: Any, told: str) -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit", "payment").done("stock", status=found)
    assert seen(clerk)["fulfillment_status"] == told


def test_an_invoice_that_was_never_paid_is_completed_and_the_customer_is_told() -> None:
    clerk = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping")
    clerk.later(days(14)).woke().done("collect", status="lost").done("settle", status="settled")
    session = seen(clerk)
    assert (session["status"], session["payment_status"]) == ("completed", "none")
    assert [note["code"] for note in session["messages"]] == ["invoice_not_paid"]


def test_the_customer_is_told_who_brings_the_parcel() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit", "payment", "stock", "capture")
    clerk.done("shipping", status="shipped", carrier="DHL", tracking="123")
    assert seen(clerk)["messages"] == [
        {"code": "shipped", "text": "the order has left the warehouse with DHL, tracking 123"}
    ]


def test_a_session_whose_process_was_taken_out_is_still_shown() -> None:
    clerk = given(STANDARD).started().cancelled().undone("shopping")
    session = public_session(clerk.saga, list(clerk.saga.steps))
    assert session["status"] == "canceled"
    assert [line["step"] for line in session["progress"]] == ["shopping"]


def test_a_services_odd_section_breaks_nothing() -> None:
    clerk = given(STANDARD).started()
    clerk.done("shopping", status=None, items="many", total="much")
    session = seen(clerk)
    assert session["items"] == [] and session["total"] == 0 and session["status"] in STATUSES


DECLINED = {"code": "card_declined", "detail": "the card was declined", "at": to_wire(NOON)}


def test_while_the_provider_is_asked_nobody_is_told_to_pay() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit")
    session = seen(clerk.reports("payment", 1, status="authorizing", amount=2590))
    assert (session["status"], session["payment_status"]) == ("processing", "authorizing")
    assert session["next_action"] is None and "payment" not in session["links"]
    assert clerk.saga.waits_for is None


def test_a_declined_card_is_told_and_another_may_be_tried_until_one_is_authorised() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit")
    assert seen(clerk)["last_payment_error"] is None
    clerk.reports("payment", 1, status="authorizing", amount=2590)
    clerk.reports("payment", 2, status="none", amount=0, last_error=DECLINED)
    session = seen(clerk)
    assert (session["status"], session["payment_status"]) == ("requires_action", "none")
    assert session["next_action"]["type"] == "pay"
    assert session["last_payment_error"] == DECLINED
    assert (
        seen(clerk.reports("payment", 3, status="authorizing", last_error=DECLINED))["last_payment_error"] == DECLINED
    )
    assert seen(clerk.done("payment", **PAID))["last_payment_error"] is None


def test_a_card_that_was_brought_along_and_declined_is_the_last_error_too() -> None:
    clerk = given(STANDARD).started(brought={"payment": {"token": "tok"}}).goes_through("shopping", "credit")
    assert seen(clerk.reports("payment", 1, status="authorizing"))["payment_status"] == "authorizing"
    session = seen(clerk.refused("payment", "card_declined"))
    assert session["last_payment_error"] == {"code": "card_declined", "detail": "card declined", "at": to_wire(NOON)}
    assert session["payment_status"] == "none"


def test_after_too_many_cards_the_order_fails_with_that_and_nobody_is_told_to_pay() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit")
    session = seen(clerk.refused("payment", "too_many_cards"))
    assert (session["status"], session["next_action"]) == ("canceling", None)
    assert session["failure"]["code"] == session["last_payment_error"]["code"] == "too_many_cards"
    assert "payment" not in session["links"]


def test_an_invoice_that_takes_no_other_card_tells_nobody_to_pay() -> None:
    clerk = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping")
    assert seen(clerk)["next_action"]["type"] == "pay"
    too_many = {**DECLINED, "code": "too_many_cards"}
    session = seen(clerk.reports("collect", 1, status="none", amount=0, last_error=too_many))
    assert (session["status"], session["next_action"]) == ("processing", None)
    assert session["last_payment_error"] == too_many
    assert "payment" not in session["links"] and clerk.saga.waits_for is None


def test_a_payment_that_is_called_off_while_the_provider_is_asked_is_not_authorizing_any_more() -> None:
    clerk = given(STANDARD).started().goes_through("shopping", "credit").reports("payment", 1, status="authorizing")
    assert seen(clerk.cancelled())["payment_status"] == "none"


def test_the_open_cart_is_in_the_session() -> None:
    clerk = given(STANDARD).started()
    line = {"sku": "BONE", "name": "Bone", "quantity": 2, "unit_amount": 5, "total": 10}
    session = seen(clerk.reports("shopping", 1, status="open", items=[line], total=10))
    assert (session["status"], session["items"], session["total"]) == ("open", [line], 10)
    assert session["next_action"]["type"] == "place_order"

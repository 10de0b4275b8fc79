"""Why a session has no cart, payment or shipment: the answers for who may see it (docs/decisions/078)."""

from __future__ import annotations

import pytest

from domain.refusals import Refused
from shop_manager.processes.definition import Process
from shop_manager.processes.digital import DIGITAL
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD
from shop_manager.sessions.elsewhere import has_route, why_not_there
from shop_manager.sessions.view import public_session
from shop_manager.tests.saga_harness import SagaHarness, given


def code(harness: SagaHarness, path: str) -> tuple[str, int, bool]:
    problem = why_not_there(harness.saga, STANDARD.names, path)
    assert problem.session_id == harness.saga.id
    return problem.code, problem.known.status, problem.known.retryable


@pytest.mark.parametrize("path", ["payment", "fulfillment"])
def test_before_the_order_is_placed_the_route_that_places_it_is_named(path: str) -> None:
    shopping = given(STANDARD).started()
    assert code(shopping, path) == ("order_not_placed", 409, False)
    assert "POST /shop/carts/clk_1/order" in why_not_there(shopping.saga, STANDARD.names, path).detail


def test_what_is_on_its_way_is_not_ready_yet_and_says_when_to_come_again() -> None:
    assert code(given(STANDARD).started(), "shop/carts") == ("not_ready_yet", 409, True)
    placed = given(STANDARD).started().done("shopping", status="placed", total=2590)
    assert code(placed, "payment") == ("not_ready_yet", 409, True)
    assert why_not_there(placed.saga, STANDARD.names, "payment").headers["Retry-After"] == "1"


def test_a_session_that_has_ended_or_is_being_undone_says_so() -> None:
    for path in ("payment", "shop/carts", "fulfillment"):
        assert code(given(STANDARD).started().cancelled(), path) == ("session_ended", 409, False)


@pytest.mark.parametrize("process", [STANDARD, DIGITAL])
def test_a_shipment_of_an_order_that_waits_for_its_payment_is_on_nobodys_way(process: Process) -> None:
    unpaid = given(process).started().goes_through("shopping", "credit")
    assert code(unpaid, "fulfillment") == ("order_not_paid", 409, False)
    problem = why_not_there(unpaid.saga, process.names, "fulfillment")
    assert "POST /payment/clk_1" in problem.detail and "Retry-After" not in problem.headers
    assert code(unpaid.goes_through("payment"), "fulfillment") == ("not_ready_yet", 409, True)


def test_an_invoice_whose_goods_have_not_left_is_on_nobodys_way() -> None:
    in_the_hall = given(INVOICE).started().goes_through("shopping", "credit", "stock")
    assert code(in_the_hall, "payment") == ("not_allowed_now", 409, False)


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/payment/clk_1", True), ("/shop/carts/clk_1/items/A", True), ("/payment/clk_1/", False),
        ("/payment/clk_1/nope", False), ("/shop/carts/clk_1/items/A/", False), ("/payment//clk_1", False),
    ],
)  # fmt: skip
def test_only_an_address_that_a_route_has_is_one(path: str, known: bool) -> None:
    assert has_route(path, ["/payment/{session}", "/shop/carts/{session}/items/{sku}"]) == known


@pytest.mark.parametrize("process", [STANDARD, INVOICE])
def test_an_order_of_nothing_is_nobodys_turn_at_the_payment(process: Process) -> None:
    harness = given(process).started().done("shopping", status="placed", total=0).done("credit")
    if process is INVOICE:
        harness.done("stock").done("shipping")
    question = harness.saga.question
    assert question is not None and question.waits_for is None
    session = public_session(harness.saga, harness.process.names)
    assert (session["next_action"], session["status"]) == (None, "processing")
    assert code(harness, "payment") == ("not_allowed_now", 409, False)
    detail = why_not_there(harness.saga, harness.process.names, "payment").detail
    assert detail == "Nothing is to be paid: the order comes to 0.00 EUR."


def test_figures_for_the_shops_own_people_are_in_the_history_and_not_in_the_public_session() -> None:
    harness = given(STANDARD).started().done("shopping", status="placed", total=2590)
    refusal = Refused("credit_exceeded", "too much", internal="the limit is 5.00 EUR")
    harness.replies("credit", "refused", refusal=refusal)
    assert harness.saga.failure is not None
    assert harness.saga.failure["internal"] == "the limit is 5.00 EUR"
    assert "5.00" not in str(public_session(harness.saga, STANDARD.names))

"""One customer as operators see them: the orders, what each was told and when, notes, money, and credit at risk."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from http_api.keys import KeyRing
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.operations.credit_question import GOOD_FOR, NAME, NO_ADDRESS, NO_ANSWER
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_acts import act
from shop_manager.tests.test_operations_api import read

ACCOUNT = {"currency": "EUR", "limit": 100_000, "reserved": 0, "outstanding": 2590, "available": 97_410}


class Risk:
    """Risk's route in the same application; keeps with what it was asked."""

    def __init__(self, harness: HttpHarness) -> None:
        self.asked: list[str] = []
        self.status = 200
        for asking in ("/ops/", "/dashboard"):
            app = harness.app_at(asking)
            app.add_api_route("/risk/customers/{customer}", self.answer, methods=["GET"], response_model=None)

    def answer(self, customer: str, request: Request) -> Response:
        self.asked.append(request.headers["authorization"])
        content: dict[str, Any] = {"id": customer, "score": 500, "accounts": [{**ACCOUNT, "more": 1}]}
        return JSONResponse(content, self.status)


@pytest.fixture
def risk(harness: HttpHarness) -> Risk:
    return Risk(harness)


def test_a_customer_has_all_orders_with_what_each_was_told_and_when(harness: HttpHarness, risk: Risk) -> None:
    done = harness.brings_all(SERVER, customer="ada", client_reference="first")["id"]
    harness.now += 1_000
    harness.goes_on_to_the_end()
    harness.now += 1_000
    declined = harness.brings_all(SERVER, customer="ada")["id"]
    command = harness.goes_on_to("AuthorizePayment")
    harness.answers(command, "refused", "card_declined")
    harness.goes_on_to_the_end()
    harness.opened(SERVER, customer="grace")
    found = read(harness, "customers/ada")
    assert [order["id"] for order in found["orders"]["data"]] == [declined, done]
    assert (found["name"], found["email"], found["type"]) == ("Ada", "ada@example.com", "regular")
    assert found["money"] == {"paid": {"EUR": 2590}, "reserved": {}, "returned": {}}
    assert (found["credit"], found["credit_unknown"]) == ([ACCOUNT], None)
    second, first = found["orders"]["data"]
    assert first["client_reference"] == "first"
    assert [(line["status"], line["payment_status"], line["fulfillment_status"]) for line in first["told"]] == [
        ("processing", "none", "none"),
        ("processing", "authorized", "none"),
        ("processing", "authorized", "reserved"),
        ("processing", "captured", "reserved"),
        ("processing", "captured", "shipped"),
        ("completed", "captured", "shipped"),
    ]
    assert first["told"][-1]["text"] == "the order has left the warehouse with DHL, tracking 123"
    assert [line["status"] for line in second["told"]] == ["processing", "canceling", "failed"]
    assert second["told"][-1]["text"] == "card declined: nothing was charged"


def test_notes_stand_with_their_order_and_pages_go_on(harness: HttpHarness, risk: Risk) -> None:
    orders = []
    for _ in range(3):
        harness.now += 1_000
        orders.append(harness.opened(SERVER, customer="ada")["id"])
    act(harness, orders[0], "note", key="op_desk")
    first = read(harness, "customers/ada?limit=2")["orders"]
    assert [order["id"] for order in first["data"]] == [orders[2], orders[1]]
    rest = read(harness, f"customers/ada?limit=2&cursor={first['next_cursor']}")["orders"]
    [oldest] = rest["data"]
    assert (oldest["id"], rest["has_more"]) == (orders[0], False)
    [note] = oldest["notes"]
    assert (note["by"], note["text"]) == ("operator:desk", "the night shift saw it")
    assert harness.get("/ops/customers/nobody", "op_desk").status_code == 404


def test_credit_is_asked_with_the_callers_key_and_it_is_said_when_risk_does_not_answer(
    harness: HttpHarness, risk: Risk
) -> None:
    read(harness, "customers/ada")
    assert risk.asked == ["Bearer op_night"]
    risk.status = 503
    found = read(harness, "customers/ada")
    assert (found["credit"], found["credit_unknown"]) == (None, NO_ANSWER)


def test_where_risk_is_not_known_that_is_said(harness: HttpHarness) -> None:
    assert read(harness, "customers/ada")["credit_unknown"] == NO_ADDRESS


def test_S2_for_who_is_logged_in_risk_is_asked_with_a_key_that_may_only_see_and_expires(
    harness: HttpHarness, risk: Risk
) -> None:
    desk, ring = BrowserClient(harness).logged_in("support"), KeyRing(harness.database)
    for _ in range(2):
        assert "€974.10" in desk.text("/dashboard/customers/ada")
    [first] = set(risk.asked)
    holder = ring.check(first.removeprefix("Bearer "))
    assert holder is not None and (holder.scope, holder.role, holder.name) == ("operator", "viewer", NAME)
    assert holder.expires_at == harness.now + GOOD_FOR
    harness.now += GOOD_FOR + 1
    assert ring.check_now(first.removeprefix("Bearer ")) is None
    desk.get("/dashboard/customers/ada")
    assert len(set(risk.asked)) == 2
    with harness.database.read() as tx:
        assert [line["name"] for line in ring.listed(tx, 200)].count(NAME) == 1


def test_the_page_tells_it_in_words_and_leads_to_the_acts(harness: HttpHarness, risk: Risk) -> None:
    order = harness.brings_all(SERVER, customer="ada", client_reference="W-1")["id"]
    harness.goes_on_to("CapturePayment")
    desk = BrowserClient(harness).logged_in("support")
    text = desk.text("/dashboard/customers/ada")
    for words in ("W-1 €25.90", "2 × Squeaky bone", "available €974.10", "reserved on cards €25.90",
                  "processing, reserved on the card, goods reserved", "Leave a note, or stop this order"):  # fmt: skip
        assert words in text, words
    assert f'href="/dashboard/clerks/{order}#acts-title"' in desk.page.text
    risk.status = 503
    assert f"Not known: {NO_ANSWER}." in desk.text("/dashboard/customers/ada")
    assert "has ordered nothing yet" in desk.text("/dashboard/customers/grace")

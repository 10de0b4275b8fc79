"""The dashboard on real data: an operator logs in, is told what is stuck, and finds the order."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from http_api.keys import KeyRing
from http_api.operators import Operators
from scenario_tests.harness import Harness
from scenario_tests.shop import Shop
from scenario_tests.waiting import until

LOGIN, LIST = "/dashboard/login", "/dashboard/clerks"


@pytest.fixture
def operator(harness: Harness) -> Iterator[httpx.Client]:
    """An operator who has just logged in."""
    password, _ = Operators(KeyRing(harness.database("shop_manager"))).add_operator("nora", "operator")
    with httpx.Client(base_url=harness.url_of("shop_manager"), trust_env=False, timeout=20) as client:
        [token] = re.findall(r'name="csrf" value="([0-9a-f]+)"', client.get(LOGIN).text)
        entered = client.post(LOGIN, data={"csrf": token, "name": "nora", "password": password})
        assert entered.status_code == 303, entered.text
        yield client


def page(operator: httpx.Client, path: str) -> str:
    answer = operator.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_operator_finds_an_order_by_everything_that_is_known_of_it(shop: Shop, operator: httpx.Client) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).gets_shipped()
    clerk.becomes("completed")
    customer = clerk.document()["customer"]["id"]
    for query in (f"customer={customer}", f"customer={customer}&status=completed&process=standard/1"):
        assert re.findall(r'href="/dashboard/clerks/([^"]+)"[^>]* data-line', page(operator, f"{LIST}?{query}")) == [
            clerk.id
        ]
    for query in (f"customer={customer}&stuck=yes", f"customer={customer}&step=capture"):
        assert clerk.id not in page(operator, f"{LIST}?{query}")
    shipment = clerk.document()["shipment"]
    for words in (clerk.id, clerk.id[4:24], f"pay_{clerk.id[4:]}"):
        found = operator.get("/dashboard/find", params={"q": words})
        assert found.headers["location"] == f"{LIST}/{clerk.id}", words
    for words in (shop.sku("SQUEAKY-BONE").lower(), shipment["tracking"]):
        assert clerk.id in operator.get("/dashboard/find", params={"q": words}, follow_redirects=True).text


def test_who_has_a_customer_on_the_telephone_sees_the_orders_and_the_credit(shop: Shop, operator: httpx.Client) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).gets_shipped()
    clerk.becomes("completed")
    customer = clerk.document()["customer"]["id"]
    opened = operator.get("/dashboard/find", params={"q": customer})
    assert opened.headers["location"] == f"/dashboard/customers/{customer}"
    text = page(operator, opened.headers["location"])
    assert f'href="/dashboard/clerks/{clerk.id}" data-line' in text
    assert "the order has left the warehouse" in text
    assert "available" in text and "Not known" not in text


def test_the_home_page_tells_what_is_stuck_and_that_it_is_no_more(shop: Shop, operator: httpx.Client) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    with shop.without("payment"):
        clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1}).is_at("payment", "asked").cancels()
        until(lambda: "undo fails" in page(operator, "/dashboard"), "the home page names the cause")
        assert clerk.id in page(operator, f"{LIST}?stuck=yes&kind=undo_failing&step=payment")
    clerk.becomes("canceled")
    until(lambda: clerk.id not in page(operator, f"{LIST}?stuck=yes"), "it is stuck no more")

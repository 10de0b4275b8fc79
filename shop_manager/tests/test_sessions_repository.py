"""Customers and shops: what the shop's backend tells ShopManager of them (docs/design/api.md)."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager import demo
from shop_manager.tests.http_harness import SERVER, HttpHarness


def test_a_customer_is_made_changed_and_read(harness: HttpHarness) -> None:
    person = {"name": "Mary", "email": "mary@example.com", "type": "trusted"}
    assert harness.get("/shop/customers/mary", SERVER).json()["code"] == "customer_unknown"
    assert harness.call("PUT", "/shop/customers/mary", SERVER, json=person).json() == {"id": "mary", **person}
    changed = harness.call("PUT", "/shop/customers/mary", SERVER, json={"name": "Mary S.", "type": "regular"})
    assert changed.status_code == 200
    assert harness.get("/shop/customers/mary", SERVER).json() == {
        "id": "mary",
        "name": "Mary S.",
        "email": None,
        "type": "regular",
    }


def test_a_shop_is_made_changed_and_read(harness: HttpHarness) -> None:
    shop = {"name": "Cats", "type": "physical", "allows_invoice": True}
    assert harness.get("/shop/shops/cats", SERVER).json()["code"] == "shop_unknown"
    made = harness.call("PUT", "/shop/shops/cats", SERVER, json=shop)
    assert made.json() == {"id": "cats", **shop, "currency": "EUR"}
    assert harness.get("/shop/shops/cats", SERVER).json() == made.json()
    assert harness.opened(shop="cats")["shop"] == "cats"


def test_a_later_change_of_the_customer_changes_nothing_for_a_running_clerk(harness: HttpHarness) -> None:
    session = harness.opened(SERVER, customer="ada")
    harness.call("PUT", "/shop/customers/ada", SERVER, json={"name": "Ada", "type": "trusted"})
    assert harness.session(session["id"])["process"] == "standard/1"
    assert harness.opened(SERVER, customer="ada")["process"] == "invoice/1"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("customers/mary", {"name": "Mary", "type": "guest"}, "$.type"),
        ("customers/mary", {"name": " "}, "$.name"),
        ("customers/mary", {"name": "Mary", "email": "nowhere"}, "$.email"),
        ("customers/mary", {"name": "Mary", "limit": 5}, "$.limit"),
        ("customers/mary", {}, "$.name"),
        ("shops/cats", {"name": "Cats", "type": "flying"}, "$.type"),
        ("shops/cats", {"name": "Cats", "type": "digital", "currency": "euro"}, "$.currency"),
        ("shops/cats", {"name": "Cats", "type": "digital", "allows_invoice": 1}, "$.allows_invoice"),
    ],
)
def test_what_is_wrong_is_named(harness: HttpHarness, path: str, body: dict[str, Any], param: str) -> None:
    answered = harness.call("PUT", f"/shop/{path}", SERVER, json=body)
    assert (answered.status_code, answered.json()["param"]) == (422, param)


@pytest.mark.parametrize("path", ["customers/ada", "shops/squeaky-toys"])
def test_only_the_backend_comes_here(harness: HttpHarness, path: str) -> None:
    for key, status in ((None, 401), ("wk_hall", 403), ("op_night", 403)):
        assert harness.get(f"/shop/{path}", key).status_code == status
        assert harness.call("PUT", f"/shop/{path}", key, json={"name": "x", "type": "physical"}).status_code == status


def test_the_demo_is_filled_in_once_and_changes_stay(harness: HttpHarness) -> None:
    harness.call("PUT", "/shop/customers/ada", SERVER, json={"name": "Countess", "type": "trusted"})
    with harness.database.begin() as tx:
        demo.fill(tx)
    assert harness.get("/shop/customers/ada", SERVER).json()["name"] == "Countess"
    assert harness.get("/shop/shops/squeaky-toys", SERVER).json()["allows_invoice"] is True
    assert harness.get("/shop/shops/squeaky-sounds", SERVER).json()["type"] == "digital"

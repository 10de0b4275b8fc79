"""Customers and shops: what the shop's backend tells ShopManager of them (api.md)."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager import demo
from shop_manager.tests.house import SERVER, House


def test_a_customer_is_made_changed_and_read(house: House) -> None:
    person = {"name": "Mary", "email": "mary@example.com", "type": "trusted"}
    assert house.get("/shop/customers/mary", SERVER).json()["code"] == "customer_unknown"
    assert house.call("PUT", "/shop/customers/mary", SERVER, json=person).json() == {"id": "mary", **person}
    changed = house.call("PUT", "/shop/customers/mary", SERVER, json={"name": "Mary S.", "type": "regular"})
    assert changed.status_code == 200
    assert house.get("/shop/customers/mary", SERVER).json() == {
        "id": "mary",
        "name": "Mary S.",
        "email": None,
        "type": "regular",
    }


def test_a_shop_is_made_changed_and_read(house: House) -> None:
    shop = {"name": "Cats", "type": "physical", "allows_invoice": True}
    assert house.get("/shop/shops/cats", SERVER).json()["code"] == "shop_unknown"
    made = house.call("PUT", "/shop/shops/cats", SERVER, json=shop)
    assert made.json() == {"id": "cats", **shop, "currency": "EUR"}
    assert house.get("/shop/shops/cats", SERVER).json() == made.json()
    assert house.opened(shop="cats")["shop"] == "cats"


def test_a_later_change_of_the_customer_changes_nothing_for_a_running_clerk(house: House) -> None:
    session = house.opened(SERVER, customer="ada")
    house.call("PUT", "/shop/customers/ada", SERVER, json={"name": "Ada", "type": "trusted"})
    assert house.session(session["id"])["process"] == "standard/1"
    assert house.opened(SERVER, customer="ada")["process"] == "invoice/1"


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
def test_what_is_wrong_is_named(house: House, path: str, body: dict[str, Any], param: str) -> None:
    answered = house.call("PUT", f"/shop/{path}", SERVER, json=body)
    assert (answered.status_code, answered.json()["param"]) == (422, param)


@pytest.mark.parametrize("path", ["customers/ada", "shops/squeaky-toys"])
def test_only_the_backend_comes_here(house: House, path: str) -> None:
    for key, status in ((None, 401), ("wk_hall", 403), ("op_night", 403)):
        assert house.get(f"/shop/{path}", key).status_code == status
        assert house.call("PUT", f"/shop/{path}", key, json={"name": "x", "type": "physical"}).status_code == status


def test_the_demo_is_filled_in_once_and_changes_stay(house: House) -> None:
    house.call("PUT", "/shop/customers/ada", SERVER, json={"name": "Countess", "type": "trusted"})
    with house.database.begin() as tx:
        demo.fill(tx)
    assert house.get("/shop/customers/ada", SERVER).json()["name"] == "Countess"
    assert house.get("/shop/shops/squeaky-toys", SERVER).json()["allows_invoice"] is True
    assert house.get("/shop/shops/squeaky-sounds", SERVER).json()["type"] == "digital"

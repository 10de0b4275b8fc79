"""The shop's doors: who may come in, what is answered, and how."""

from __future__ import annotations

from typing import Any

import pytest

from doors.tests.door import Door
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.tests.databases import Clock
from shop_service.main import build
from shop_service.settings import ShopSettings
from shop_service.tests.commands import DEADLINE, answers, cancels, secret_for, starts

OWN = secret_for("clk_1")
STRANGER = secret_for("clk_2")
TOY: dict[str, Any] = {"name": "Squeaky cat", "unit_amount": 500, "currency": "EUR", "kind": "physical"}
CART_CALLS = [
    ("GET", "/shop/carts/{}", None),
    ("PUT", "/shop/carts/{}/items/SQUEAKY-BONE", {"quantity": 1}),
    ("POST", "/shop/carts/{}/order", None),
]


@pytest.fixture
def door(database: Database) -> Door:
    answers(database, starts("clk_1"))
    link = MemoryBroker().link("shop.commands.v1", "shop")
    link.start()
    _, routers = build(ShopSettings(cart_wait=0.05), database, link)
    return Door(database, routers)


def test_anybody_sees_what_is_sold(door: Door) -> None:
    answer = door.call("GET", "/shop/products")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["has_more"], body["next_cursor"]) == (False, None)
    assert {
        "sku": "SQUEAKY-BONE",
        "name": "Squeaky bone",
        "unit_amount": 1295,
        "currency": "EUR",
        "kind": "physical",
        "withdrawn": False,
    } in body["data"]


def test_the_catalogue_comes_in_pages_without_gap_or_double(door: Door) -> None:
    whole = [each["sku"] for each in door.call("GET", "/shop/products").json()["data"]]
    found: list[str] = []
    path = "/shop/products?limit=3"
    while path:
        body = door.call("GET", path).json()
        found += [each["sku"] for each in body["data"]]
        path = f"/shop/products?limit=3&cursor={body['next_cursor']}" if body["has_more"] else ""
    assert found == whole == sorted(whole)


def test_the_catalogue_can_be_asked_for_one_kind(door: Door) -> None:
    data = door.call("GET", "/shop/products?kind=digital").json()["data"]
    assert [each["sku"] for each in data] == ["BARK-ALBUM", "SQUEAK-RINGTONE"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=nonsense", "kind=edible"])
def test_a_page_that_cannot_be_is_a_422(door: Door, query: str) -> None:
    assert door.call("GET", f"/shop/products?{query}").status_code == 422


def test_the_shops_backend_puts_and_withdraws_articles(door: Door) -> None:
    put = door.call("PUT", "/shop/products/SQUEAKY-CAT", door.server, TOY)
    assert put.json() == {"sku": "SQUEAKY-CAT", **TOY, "withdrawn": False}
    door.call("PUT", "/shop/products/SQUEAKY-CAT", door.server, {**TOY, "withdrawn": True})
    assert "SQUEAKY-CAT" not in door.call("GET", "/shop/products").text


@pytest.mark.parametrize(("key", "status"), [(None, 401), (OWN, 403), ("warehouse", 403)])
def test_nobody_else_changes_the_catalogue(door: Door, key: str | None, status: int) -> None:
    key = door.warehouse if key == "warehouse" else key
    assert door.call("PUT", "/shop/products/SQUEAKY-CAT", key, TOY).status_code == status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "a\x00b"),
        ("name", "x" * 201),
        ("unit_amount", -1),
        ("unit_amount", "5"),
        ("unit_amount", 10**12),
        ("currency", "eur"),
        ("kind", "edible"),
        ("price", 5),
    ],
)
def test_an_article_that_cannot_be_is_a_422(door: Door, field: str, value: object) -> None:
    assert door.call("PUT", "/shop/products/SQUEAKY-CAT", door.server, {**TOY, field: value}).status_code == 422


@pytest.mark.parametrize("key", [OWN, "server"])
def test_a_customer_or_the_backend_fills_the_cart_and_orders(door: Door, key: str) -> None:
    key = door.server if key == "server" else key
    filled = door.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", key, {"quantity": 2})
    assert (filled.status_code, filled.json()["total"]) == (200, 2590)
    placed = door.call("POST", "/shop/carts/clk_1/order", key)
    assert (placed.status_code, placed.json()["status"]) == (202, "placed")
    again = door.call("POST", "/shop/carts/clk_1/order", key)
    assert (again.status_code, again.json()) == (202, placed.json())
    assert door.call("GET", "/shop/carts/clk_1", key).json() == placed.json()


@pytest.mark.parametrize(("method", "path", "json"), CART_CALLS)
def test_a_foreign_cart_is_the_same_404_as_one_that_is_not_there(
    door: Door, method: str, path: str, json: object
) -> None:
    foreign, unknown = (door.call(method, path.format(session), STRANGER, json) for session in ("clk_1", "clk_9"))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.headers["Retry-After"] == unknown.headers["Retry-After"]
    name = ("instance", "request_id")
    assert {k: v for k, v in foreign.json().items() if k not in name} == {
        k: v for k, v in unknown.json().items() if k not in name
    }


@pytest.mark.parametrize(("method", "path", "json"), CART_CALLS)
def test_without_credentials_or_with_the_warehouses_nobody_comes_to_a_cart(
    door: Door, method: str, path: str, json: object
) -> None:
    assert door.call(method, path.format("clk_1"), None, json).status_code == 401
    assert door.call(method, path.format("clk_1"), door.warehouse, json).status_code == 403


@pytest.mark.parametrize(("method", "path", "json"), CART_CALLS)
def test_after_the_end_its_own_customer_hears_so_and_a_stranger_a_404(
    door: Door, database: Database, method: str, path: str, json: object
) -> None:
    answers(database, cancels("clk_1"))
    answer = door.call(method, path.format("clk_1"), OWN, json)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")
    assert answer.json()["session_id"] == "clk_1"
    assert door.call(method, path.format("clk_1"), STRANGER, json).status_code == 404


def test_after_the_deadline_nothing_can_be_ordered(door: Door, clock: Clock) -> None:
    door.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", OWN, {"quantity": 2})
    clock.now = DEADLINE
    answer = door.call("POST", "/shop/carts/clk_1/order", OWN)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")


@pytest.mark.parametrize(
    ("sku", "body", "code"),
    [
        ("BARKING-CAT", {"quantity": 1}, "article_unknown"),
        ("SQUEAKY-BONE", {"quantity": 1000}, "invalid_request"),
        ("SQUEAKY-BONE", {"quantity": -1}, "invalid_request"),
        ("SQUEAKY-BONE", {"quantity": True}, "invalid_request"),
        ("SQUEAKY-BONE", {"quantity": 1, "unit_amount": 1}, "invalid_request"),
        ("SQUEAKY-BONE", {}, "invalid_request"),
    ],
)
def test_what_cannot_be_put_into_a_cart_is_a_422(door: Door, sku: str, body: object, code: str) -> None:
    answer = door.call("PUT", f"/shop/carts/clk_1/items/{sku}", OWN, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_empty_cart_is_a_422(door: Door) -> None:
    answer = door.call("POST", "/shop/carts/clk_1/order", OWN)
    assert (answer.status_code, answer.json()["code"]) == (422, "cart_empty")


def test_a_placed_order_cannot_be_changed(door: Door) -> None:
    door.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", OWN, {"quantity": 2})
    door.call("POST", "/shop/carts/clk_1/order", OWN)
    answer = door.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", OWN, {"quantity": 3})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")

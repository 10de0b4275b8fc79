"""The shop's HTTP routes: who may use them, and what they respond."""

from __future__ import annotations

from typing import Any

import pytest

from http_api.shop_offers import ShopOffer, tell_offers
from http_api.tests.client import ServiceClient
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.tests.databases import Clock
from shop_service.main import build
from shop_service.settings import ShopSettings
from shop_service.tests.commands import DEADLINE, cancels, replies_to, secret_for, starts

OWN = secret_for("clk_1")
STRANGER = secret_for("clk_2")
TOY: dict[str, Any] = {"name": "Squeaky cat", "unit_amount": 500, "currency": "EUR", "kind": "physical"}
CART_CALLS = [
    ("GET", "/shop/carts/{}", None),
    ("PUT", "/shop/carts/{}/items/SQUEAKY-BONE", {"quantity": 1}),
    ("POST", "/shop/carts/{}/order", None),
]


@pytest.fixture
def client(database: Database) -> ServiceClient:
    replies_to(database, starts("clk_1"))
    transport = MemoryBroker().transport("shop.commands.v1", "shop")
    transport.start()
    _, routers = build(ShopSettings(cart_wait=0.05), database, transport)
    return ServiceClient(database, routers)


def test_anybody_sees_what_is_sold(client: ServiceClient) -> None:
    answer = client.call("GET", "/shop/products")
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


def test_the_catalogue_comes_in_pages_without_gap_or_double(client: ServiceClient) -> None:
    whole = [each["sku"] for each in client.call("GET", "/shop/products").json()["data"]]
    found: list[str] = []
    path = "/shop/products?limit=3"
    while path:
        body = client.call("GET", path).json()
        found += [each["sku"] for each in body["data"]]
        path = f"/shop/products?limit=3&cursor={body['next_cursor']}" if body["has_more"] else ""
    assert found == whole == sorted(whole)


def test_the_catalogue_can_be_asked_for_one_kind(client: ServiceClient) -> None:
    data = client.call("GET", "/shop/products?kind=digital").json()["data"]
    assert [each["sku"] for each in data] == ["BARK-ALBUM", "SQUEAK-RINGTONE"]


OFFERS = {
    "toys": ShopOffer("physical", "EUR"),
    "sounds": ShopOffer("digital", "EUR"),
    "both": ShopOffer("mixed", "EUR"),
    "dollars": ShopOffer("mixed", "USD"),
}
DOWNLOADS = {"BARK-ALBUM", "SQUEAK-RINGTONE"}


def listed(client: ServiceClient, query: str) -> set[str]:
    return {each["sku"] for each in client.call("GET", f"/shop/products?{query}").json()["data"]}


def test_a_shops_catalogue_is_what_it_sells(client: ServiceClient) -> None:
    tell_offers(client.app, OFFERS.get)
    everything = listed(client, "limit=200")
    assert listed(client, "shop=sounds") == listed(client, "shop_type=digital") == DOWNLOADS
    assert listed(client, "shop=toys") == everything - DOWNLOADS
    assert listed(client, "shop=both") == listed(client, "currency=EUR") == everything
    assert listed(client, "shop=both&kind=digital") == DOWNLOADS
    assert listed(client, "shop=toys&kind=digital") == listed(client, "shop=dollars") == set()
    unknown = client.call("GET", "/shop/products?shop=nowhere")
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["param"]) == (404, "shop_unknown", "shop")


def test_a_process_that_does_not_know_the_shops_says_so(client: ServiceClient) -> None:
    answer = client.call("GET", "/shop/products?shop=toys")
    assert (answer.status_code, answer.json()["param"]) == (422, "shop")


@pytest.mark.parametrize("query", ["shop=toys&currency=EUR", "shop=toys&shop_type=mixed"])
def test_a_shop_is_asked_for_alone(client: ServiceClient, query: str) -> None:
    tell_offers(client.app, OFFERS.get)
    assert client.call("GET", f"/shop/products?{query}").status_code == 422


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "cursor=nonsense", "kind=edible", "shop_type=edible", "currency=eur"]
)
def test_a_page_that_cannot_be_is_a_422(client: ServiceClient, query: str) -> None:
    assert client.call("GET", f"/shop/products?{query}").status_code == 422


def test_the_shops_backend_puts_and_withdraws_articles(client: ServiceClient) -> None:
    put = client.call("PUT", "/shop/products/SQUEAKY-CAT", client.server, TOY)
    assert put.json() == {"sku": "SQUEAKY-CAT", **TOY, "withdrawn": False}
    client.call("PUT", "/shop/products/SQUEAKY-CAT", client.server, {**TOY, "withdrawn": True})
    assert "SQUEAKY-CAT" not in client.call("GET", "/shop/products").text


@pytest.mark.parametrize(("key", "status"), [(None, 401), (OWN, 403), ("warehouse", 403)])
def test_nobody_else_changes_the_catalogue(client: ServiceClient, key: str | None, status: int) -> None:
    key = client.warehouse if key == "warehouse" else key
    assert client.call("PUT", "/shop/products/SQUEAKY-CAT", key, TOY).status_code == status


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
def test_an_article_that_cannot_be_is_a_422(client: ServiceClient, field: str, value: object) -> None:
    assert client.call("PUT", "/shop/products/SQUEAKY-CAT", client.server, {**TOY, field: value}).status_code == 422


@pytest.mark.parametrize("key", [OWN, "server"])
def test_a_customer_or_the_backend_fills_the_cart_and_orders(client: ServiceClient, key: str) -> None:
    key = client.server if key == "server" else key
    filled = client.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", key, {"quantity": 2})
    assert (filled.status_code, filled.json()["total"]) == (200, 2590)
    placed = client.call("POST", "/shop/carts/clk_1/order", key)
    assert (placed.status_code, placed.json()["status"]) == (202, "placed")
    again = client.call("POST", "/shop/carts/clk_1/order", key)
    assert (again.status_code, again.json()) == (202, placed.json())
    assert client.call("GET", "/shop/carts/clk_1", key).json() == placed.json()


@pytest.mark.parametrize(("method", "path", "json"), CART_CALLS)
def test_a_foreign_cart_is_the_same_404_as_one_that_is_not_there(
    client: ServiceClient, method: str, path: str, json: object
) -> None:
    foreign, unknown = (client.call(method, path.format(session), STRANGER, json) for session in ("clk_1", "clk_9"))
    assert foreign.status_code == unknown.status_code == 404
    assert "Retry-After" not in foreign.headers and "Retry-After" not in unknown.headers
    name = ("instance", "request_id")
    assert {k: v for k, v in foreign.json().items() if k not in name} == {
        k: v for k, v in unknown.json().items() if k not in name
    }


@pytest.mark.parametrize(("method", "path", "json"), CART_CALLS)
def test_without_credentials_or_with_the_warehouses_nobody_comes_to_a_cart(
    client: ServiceClient, method: str, path: str, json: object
) -> None:
    assert client.call(method, path.format("clk_1"), None, json).status_code == 401
    assert client.call(method, path.format("clk_1"), client.warehouse, json).status_code == 403


@pytest.mark.parametrize(("method", "path", "json"), CART_CALLS)
def test_after_the_end_its_own_customer_hears_so_and_a_stranger_a_404(
    client: ServiceClient, database: Database, method: str, path: str, json: object
) -> None:
    replies_to(database, cancels("clk_1"))
    answer = client.call(method, path.format("clk_1"), OWN, json)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")
    assert answer.json()["session_id"] == "clk_1"
    assert client.call(method, path.format("clk_1"), STRANGER, json).status_code == 404


def test_after_the_deadline_nothing_can_be_ordered(client: ServiceClient, clock: Clock) -> None:
    client.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", OWN, {"quantity": 2})
    clock.now = DEADLINE
    answer = client.call("POST", "/shop/carts/clk_1/order", OWN)
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
def test_what_cannot_be_put_into_a_cart_is_a_422(client: ServiceClient, sku: str, body: object, code: str) -> None:
    answer = client.call("PUT", f"/shop/carts/clk_1/items/{sku}", OWN, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_empty_cart_is_a_422(client: ServiceClient) -> None:
    answer = client.call("POST", "/shop/carts/clk_1/order", OWN)
    assert (answer.status_code, answer.json()["code"]) == (422, "cart_empty")


def test_a_placed_order_cannot_be_changed(client: ServiceClient) -> None:
    client.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", OWN, {"quantity": 2})
    client.call("POST", "/shop/carts/clk_1/order", OWN)
    answer = client.call("PUT", "/shop/carts/clk_1/items/SQUEAKY-BONE", OWN, {"quantity": 3})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")

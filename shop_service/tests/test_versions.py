"""A customer orders what was seen: versions of carts and of the catalogue, and the total that is expected."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from http_api.tests.client import ServiceClient
from messaging.database import Database
from messaging.memory import MemoryBroker
from shop_service.main import build
from shop_service.settings import ShopSettings
from shop_service.tests.commands import business_rows, replies_to, secret_for, starts

OWN = secret_for("clk_1")
CART, ITEM, ORDER = "/shop/carts/clk_1", "/shop/carts/clk_1/items/SQUEAKY-BONE", "/shop/carts/clk_1/order"


@pytest.fixture
def client(database: Database) -> ServiceClient:
    replies_to(database, starts("clk_1"))
    transport = MemoryBroker().transport("shop.commands.v1", "shop")
    transport.start()
    _, routers = build(ShopSettings(cart_wait=0.05), database, transport)
    return ServiceClient(database, routers)


@pytest.fixture
def seen(client: ServiceClient) -> str:
    """The version of a cart with one bone at 12.95."""
    return fill(client, 1).headers["etag"]


def fill(client: ServiceClient, quantity: int, match: str = "*") -> httpx.Response:
    return client.call("PUT", ITEM, OWN, {"quantity": quantity}, headers={"If-Match": match})


def reprice(client: ServiceClient, unit_amount: int) -> None:
    bone = {"name": "Squeaky bone", "unit_amount": unit_amount, "currency": "EUR", "kind": "physical"}
    assert client.call("PUT", "/shop/products/SQUEAKY-BONE", client.server, bone).status_code == 200


def order(client: ServiceClient, expected_total: int | None = None, match: str = "*") -> httpx.Response:
    body = None if expected_total is None else {"expected_total": expected_total}
    return client.call("POST", ORDER, OWN, body, headers={"If-Match": match})


def test_every_answer_about_a_cart_has_its_version(client: ServiceClient, seen: str) -> None:
    read = client.call("GET", CART, OWN)
    assert read.headers["etag"] == seen
    assert fill(client, 2).headers["etag"] != seen
    assert fill(client, 1).headers["etag"] == seen
    placed = order(client)
    assert placed.headers["etag"] == client.call("GET", CART, OWN).headers["etag"] != seen


def test_a_new_price_is_a_new_version(client: ServiceClient, seen: str) -> None:
    reprice(client, 40_000)
    assert client.call("GET", CART, OWN).headers["etag"] != seen


def test_a_cart_that_the_client_knows_is_a_304(client: ServiceClient, seen: str) -> None:
    known = client.call("GET", CART, OWN, headers={"If-None-Match": seen})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", seen)
    reprice(client, 40_000)
    assert client.call("GET", CART, OWN, headers={"If-None-Match": seen}).json()["total"] == 40_000


def test_an_item_is_put_only_into_the_cart_that_was_seen(client: ServiceClient, seen: str) -> None:
    fill(client, 5)
    late = fill(client, 2, match=seen)
    now = client.call("GET", CART, OWN)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert (late.json()["current"], late.headers["etag"]) == (now.json(), now.headers["etag"])
    assert now.json()["items"][0]["quantity"] == 5
    assert fill(client, 2, match=now.headers["etag"]).status_code == 200


def test_a_price_that_nobody_saw_is_not_ordered(client: ServiceClient, database: Database, seen: str) -> None:
    reprice(client, 40_000)
    before = business_rows(database)
    late = order(client, match=seen)
    assert (late.status_code, late.json()["code"], late.json()["current"]["total"]) == (412, "version_conflict", 40_000)
    changed = order(client, 1295)
    assert (changed.status_code, changed.json()["code"]) == (409, "price_changed")
    assert changed.json()["current"] == client.call("GET", CART, OWN).json()
    assert (changed.json()["session_id"], changed.json()["retryable"]) == ("clk_1", False)
    assert business_rows(database) == before
    placed = order(client, 40_000, match=changed.headers["etag"])
    assert (placed.status_code, placed.json()["total"]) == (202, 40_000)


def test_the_same_request_again_is_the_same_order(client: ServiceClient, seen: str) -> None:
    first = order(client, 1295, match=seen)
    reprice(client, 40_000)
    again = order(client, 1295, match=seen)
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert order(client, match=first.headers["etag"]).status_code == 202


def test_an_order_that_was_placed_at_another_total_is_told(client: ServiceClient, seen: str) -> None:
    fill(client, 2)
    placed = order(client).json()
    other = order(client, 1295)
    assert (other.status_code, other.json()["code"], other.json()["current"]) == (409, "price_changed", placed)
    late = order(client, match=seen)
    assert (late.status_code, late.json()["current"]) == (412, placed)


@pytest.mark.parametrize("body", [{"expected_total": -1}, {"expected_total": "1"}, {"expected_total": True}, {"t": 1}])
def test_a_total_that_is_none_is_a_422(client: ServiceClient, seen: str, body: object) -> None:
    assert client.call("POST", ORDER, OWN, body).status_code == 422
    assert client.call("POST", ORDER, OWN, {}).status_code == 202


@pytest.mark.parametrize("query", ["", "?kind=digital", "?limit=2"])
def test_a_page_of_the_catalogue_that_the_client_knows_is_a_304(client: ServiceClient, query: str) -> None:
    path = f"/shop/products{query}"
    seen = client.call("GET", path).headers["etag"]
    known = client.call("GET", path, headers={"If-None-Match": seen})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", seen)
    assert client.call("GET", "/shop/products?limit=1", headers={"If-None-Match": seen}).status_code == 200


def test_a_changed_catalogue_is_a_new_version(client: ServiceClient) -> None:
    seen = client.call("GET", "/shop/products").headers["etag"]
    reprice(client, 1)
    changed = client.call("GET", "/shop/products", headers={"If-None-Match": seen})
    assert (changed.status_code, changed.headers["etag"] != seen) == (200, True)


@pytest.mark.parametrize(("expected", "outcome"), [(2590, "done"), (None, "done"), (2589, "refused"), (0, "refused")])
def test_an_order_that_was_brought_comes_to_what_was_expected_or_is_refused(
    database: Database, expected: int | None, outcome: str
) -> None:
    before = business_rows(database)
    command = starts("clk_2", {"SQUEAKY-BONE": 2})
    brought: dict[str, Any] = command.document["clerk"]["brought"]
    if expected is not None:
        brought["expected_total"] = expected
    (reply,) = replies_to(database, command)
    assert reply.outcome == outcome
    if outcome == "refused":
        assert reply.refusal is not None and reply.refusal.code == "price_changed"
        assert business_rows(database) == before


def withdraw(client: ServiceClient, **changed: Any) -> None:
    bone = {"name": "Squeaky bone", "unit_amount": 1295, "currency": "EUR", "kind": "physical", **changed}
    assert client.call("PUT", "/shop/products/SQUEAKY-BONE", client.server, bone).status_code == 200


@pytest.mark.parametrize("changed", [{"withdrawn": True}, {"currency": "USD"}, {"kind": "digital"}])
def test_a_line_that_cannot_be_ordered_any_more_says_so_and_is_another_version(
    client: ServiceClient, seen: str, changed: dict[str, Any]
) -> None:
    duck = CART + "/items/SQUEAKY-DUCK"
    seen = client.call("PUT", duck, OWN, {"quantity": 1}).headers["etag"]
    assert "available" not in client.call("GET", CART, OWN).text
    withdraw(client, **changed)
    read = client.call("GET", CART, OWN)
    assert read.headers["etag"] != seen
    assert [(item["sku"], item.get("available", True)) for item in read.json()["items"]] == [
        ("SQUEAKY-BONE", False),
        ("SQUEAKY-DUCK", True),
    ]
    refused = order(client)
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["param"]) == (422, "article_unknown", "$.items[0].sku")
    assert (problem["current"], refused.headers["etag"]) == (read.json(), read.headers["etag"])
    assert order(client, match=seen).status_code == 412
    assert fill(client, 0).status_code == 200
    assert order(client).status_code == 202


def test_an_article_that_is_sold_again_can_be_ordered_again(client: ServiceClient, seen: str) -> None:
    withdraw(client, withdrawn=True)
    assert order(client).status_code == 422
    withdraw(client)
    assert client.call("GET", CART, OWN).headers["etag"] == seen
    assert order(client, match=seen).status_code == 202

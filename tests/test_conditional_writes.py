"""`If-Match` and `If-None-Match` count at every `PUT` of the shop, and wherever else they are documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from http_api.openapi import operations_in
from tests.who_may.shop_under_test import ShopUnderTest

ARTICLE = {"name": "Toy", "unit_amount": 1, "currency": "EUR", "kind": "physical"}
NEW: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/shop/products/NEW-1": (ARTICLE, {**ARTICLE, "unit_amount": 2}),
    "/shop/customers/new-1": ({"name": "Ada"}, {"name": "Bella"}),
    "/shop/shops/new-1": ({"name": "Toys", "type": "mixed"}, {"name": "Dogs", "type": "mixed"}),
    "/fulfillment/stock/NEW-1": ({"on_hand": 1}, {"on_hand": 2}),
}
"""What can be made with `PUT`: the first body, and one that changes it."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopUnderTest]:
    with ShopUnderTest(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def put(shop: ShopUnderTest, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: httpx.Response = shop.call("PUT", path, body, "server", named)
    return answer


@pytest.mark.parametrize("path", NEW)
def test_what_is_made_is_made_once_and_changed_as_it_was_seen(shop: ShopUnderTest, path: str) -> None:
    first, other = NEW[path]
    assert put(shop, path, first, If_Match="*").status_code == 412, "there is none yet"
    made = put(shop, path, first, If_None_Match="*")
    assert made.status_code == 200
    again = put(shop, path, other, If_None_Match="*")
    assert (again.status_code, again.json()["code"], again.json()["param"]) == (
        412, "version_conflict", "If-None-Match"
    )  # fmt: skip
    assert (again.json()["current"], again.headers["etag"]) == (made.json(), made.headers["etag"])
    changed = put(shop, path, other, If_Match=made.headers["etag"])
    assert changed.status_code == 200 and changed.headers["etag"] != made.headers["etag"]
    late = put(shop, path, first, If_Match=made.headers["etag"])
    assert (late.status_code, late.json()["current"]) == (412, changed.json())
    assert put(shop, path, first, If_Match="").status_code == 422
    if not path.startswith("/shop/products"):
        read = shop.call("GET", path, None, "server", {})
        assert (read.json(), read.headers["etag"]) == (changed.json(), changed.headers["etag"])
        known = {"If-None-Match": read.headers["etag"]}
        assert shop.call("GET", path, None, "server", known).status_code == 304


def test_a_limit_is_set_as_it_was_seen(shop: ShopUnderTest) -> None:
    path = "/risk/customers/ada"
    seen = shop.call("GET", path, None, "server", {}).headers["etag"]
    set_ = put(shop, path, {"limit": 4_000, "currency": "USD"}, If_Match=seen)
    assert set_.status_code == 200
    late = put(shop, path, {"limit": 1}, If_Match=seen)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert put(shop, path, {"limit": 1}, If_None_Match="*").status_code == 412, "everybody has a limit"
    assert put(shop, path, {"limit": 5_000, "currency": "USD"}, If_Match=set_.headers["etag"]).status_code == 200


def test_an_article_is_put_into_a_cart_that_has_none_of_it(shop: ShopUnderTest) -> None:
    path = f"/shop/carts/{shop.sessions['other']}/items/SQUEAKY-DUCK"
    assert put(shop, path, {"quantity": 1}, If_None_Match="*").status_code == 200
    again = put(shop, path, {"quantity": 2}, If_None_Match="*")
    assert (again.status_code, again.json()["current"]["items"][0]["quantity"]) == (412, 1)


def test_every_put_documents_both_headers(shop: ShopUnderTest) -> None:
    for operation in operations_in(shop.up.openapi()):
        if operation["operationId"].startswith(("put_", "set_")) and operation["operationId"] != "put_fault":
            named = {each["$ref"].rpartition("/")[2] for each in operation["parameters"] if "$ref" in each}
            assert "IfMatch" in named and "412" in operation["responses"], operation["operationId"]

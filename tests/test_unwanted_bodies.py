"""A call that takes no body is not given one in vain: fields in it are unknown fields, at every route."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from http_api.openapi import operations_in
from tests.test_who_may_what import OF_SERVICES
from tests.who_may.shop_under_test import ShopUnderTest
from tests.who_may.table import RouteRow

WITHOUT_BODY = [row for row in OF_SERVICES if row.body in (None, "-") and row.method != "GET"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopUnderTest]:
    with ShopUnderTest(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def takes_a_body(shop: ShopUnderTest, row: RouteRow) -> bool:
    paths = shop.apps[row.service].openapi()["paths"]
    return "requestBody" in paths[row.path][row.method.lower()]


def test_there_are_such_calls(shop: ShopUnderTest) -> None:
    asked = {row.path for row in WITHOUT_BODY if not takes_a_body(shop, row)}
    assert asked >= {f"/shop/session/{{session}}/{end}" for end in ("cancel", "expire", "events/ticket")}
    assert len(list(operations_in(shop.up.openapi()))) > len(asked)


@pytest.mark.parametrize("row", WITHOUT_BODY, ids=lambda row: f"{row.method} {row.path}")
def test_fields_that_nobody_reads_are_named(shop: ShopUnderTest, row: RouteRow) -> None:
    path = re.sub(r"\{(\w+)\}", lambda found: shop.sessions["other"] if found[1] == "session" else "x", row.path)
    key = next(name for name in ("server", "admin") if row.cells[name] == "in")
    refused = shop.call(row.method, path, {"reason": "x", "b": 1}, key)
    assert refused.status_code == 422, refused.text
    assert [error["param"] for error in refused.json()["errors"]] == ["$.reason", "$.b"]
    assert "unknown field" in refused.json()["detail"]
    assert shop.call(row.method, path, [], key).status_code == 422


@pytest.mark.parametrize("body", [{}, None])
def test_an_empty_one_is_none(shop: ShopUnderTest, body: dict[str, str] | None) -> None:
    opened = shop.ask("POST", "/shop/session", {})
    assert shop.call("POST", f"/shop/session/{opened['id']}/events/ticket", body, "server").status_code == 201
    assert shop.call("POST", f"/shop/session/{opened['id']}/cancel", body, "server").is_success

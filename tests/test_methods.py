"""HEAD wherever GET is, OPTIONS everywhere, and an `Allow` that is true: of every address of the whole shop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.test_who_may_what import OF_DASHBOARD, OF_SERVICES, PASSED_ON
from tests.who_may.asgi_client import AsgiResponse, send_request
from tests.who_may.principals import Principals
from tests.who_may.shop_under_test import ShopUnderTest
from tests.who_may.table import RouteRow

ASKED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHERS = ("TRACE", "PROPFIND", "get")
OF_THIS_MOMENT = {"request-id", "date", "set-cookie"}
"""Headers that differ between two answers to the same request."""
ADDRESSES = sorted({(row.service, row.path) for row in [*OF_SERVICES, *OF_DASHBOARD]})
READ = [row for row in [*OF_SERVICES, *OF_DASHBOARD] if row.method == "GET"]
CHANGING = ("/metrics", "/health", "/dashboard", "/ops")
"""Below these the content changes from one moment to the next, and so may its length."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopUnderTest]:
    with ShopUnderTest(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def principals(shop: ShopUnderTest) -> Principals:
    return Principals(shop)


@pytest.mark.parametrize(("service", "path"), ADDRESSES)
def test_allow_names_all_methods_that_are_not_405_and_no_others(
    shop: ShopUnderTest, principals: Principals, service: str, path: str
) -> None:
    assert_allow_is_true(shop.apps[service], principals.path_of(path, "own"))


@pytest.mark.parametrize("path", sorted({row.path for row in PASSED_ON}))
def test_through_the_gateway_it_is_the_service_that_says_which_methods_there_are(
    shop: ShopUnderTest, principals: Principals, path: str
) -> None:
    assert_allow_is_true(shop.gateway, principals.path_of(path, "own"))


@pytest.mark.parametrize(
    ("service", "path", "allowed"),
    [
        ("payment", "/payment/provider-events", "OPTIONS, POST"),
        ("fulfillment", "/fulfillment/shipments", "GET, HEAD, OPTIONS"),
        ("fulfillment", "/fulfillment/stock/ship", "GET, HEAD, OPTIONS, PUT"),
        ("payment", "/payment/clk_1", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_an_address_that_another_route_matches_too_has_its_own_methods_only(
    shop: ShopUnderTest, service: str, path: str, allowed: str
) -> None:
    for app in (shop.apps[service], shop.up, shop.gateway):
        answer = asyncio.run(send_request(app, "OPTIONS", path, {}))
        assert (answer.status, answer.headers["allow"]) == (204, allowed)
        assert_allow_is_true(app, path)


def assert_allow_is_true(app: object, path: str) -> None:
    async def asked() -> dict[str, AsgiResponse]:
        return {method: await send_request(app, method, path, {}) for method in (*ASKED, *OTHERS)}  # type: ignore[arg-type]

    found = asyncio.run(asked())
    taken = {method for method, answer in found.items() if answer.status != 405}
    assert found["OPTIONS"].status == 204
    assert taken <= set(ASKED)
    for answer in (found["OPTIONS"], *(answer for answer in found.values() if answer.status == 405)):
        assert answer.headers["allow"] == ", ".join(sorted(taken))


@pytest.mark.parametrize("row", READ, ids=lambda row: f"{row.service} {row.path}")
def test_head_is_answered_as_get_is(principals: Principals, row: RouteRow) -> None:
    async def answer(method: str) -> AsgiResponse:
        asked = row._replace(method=method)
        if row in OF_DASHBOARD:
            return await principals.visits(asked, "admin")
        column = next((name for name, cell in row.cells.items() if cell == "in"), "nobody")
        return await principals.asks(asked, column, principals.credentials(column, row.service)[0])

    got, head = asyncio.run(answer("GET")), asyncio.run(answer("HEAD"))
    aside = OF_THIS_MOMENT | ({"content-length"} if row.path.startswith(CHANGING) else set())
    assert (head.status, "content-length" in head.headers) == (got.status, "content-length" in got.headers)
    assert {name: text for name, text in head.headers.items() if name not in aside} == {
        name: text for name, text in got.headers.items() if name not in aside
    }


def test_an_address_that_is_nothing_has_no_methods_and_the_server_itself_has_options(shop: ShopUnderTest) -> None:
    async def status(target: str) -> int:
        return (await send_request(shop.up, "OPTIONS", target, {})).status

    assert [asyncio.run(status(each)) for each in ("/nothing", "*")] == [404, 204]

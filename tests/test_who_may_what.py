"""S1: every route of every service is open or closed to every kind of principal as the table says; none is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shop_manager.gateway import METHODS
from tests.who_may.asgi_client import AsgiResponse, send_request
from tests.who_may.principals import Principals
from tests.who_may.shop_under_test import NAMES, ShopUnderTest
from tests.who_may.table import API, DASHBOARD, PASSED_ON_BY_GATEWAY, UP_ALONE, RouteRow, rows_of

ANSWERED = {200, 201, 202, 204, 303, 308, 402, 409, 412, 428}
"""Statuses for a principal who was let in; some say that it is not possible now."""
ROWS = rows_of(API)
EACH = [row._replace(service=name) for row in ROWS for name in NAMES if row.service == "each"]
OF_SERVICES = [row for row in ROWS if row.service != "each"] + EACH
OF_DASHBOARD = rows_of(DASHBOARD)
PASSED_ON = [row for row in OF_SERVICES if row.service in PASSED_ON_BY_GATEWAY and row not in EACH]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopUnderTest]:
    with ShopUnderTest(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def principals(shop: ShopUnderTest) -> Principals:
    return Principals(shop)


def named(row: RouteRow) -> str:
    return f"{row.service} {row.method} {row.path} {row.body or ''}".strip()


@pytest.mark.parametrize("row", OF_SERVICES, ids=named)
def test_S1_a_route_is_open_to_whom_the_table_says(principals: Principals, row: RouteRow) -> None:
    assert asyncio.run(asked(principals, row)) == expected(row)


@pytest.mark.parametrize("row", PASSED_ON, ids=named)
def test_S1_the_gateway_opens_no_route_to_anybody_else(principals: Principals, row: RouteRow) -> None:
    assert asyncio.run(asked(principals, row, through_gateway=True)) == expected(row)


@pytest.mark.parametrize("row", [row for row in OF_SERVICES if row.service == "shop_manager"], ids=named)
def test_S2_the_key_beside_a_first_password_opens_what_every_text_opens_and_says_whose_it_is(
    principals: Principals, row: RouteRow
) -> None:
    [key] = principals.credentials("first", "shop_manager")
    open_to_it = row.cells["useless"] == "in" or row.path == "/keys/current"
    assert as_cell(asyncio.run(principals.asks(row, "admin", key))) == ("in" if open_to_it else "403")


@pytest.mark.parametrize("row", OF_DASHBOARD, ids=named)
def test_S1_a_page_is_open_to_whom_the_table_says(principals: Principals, row: RouteRow) -> None:
    async def visited() -> dict[str, set[str]]:
        return {column: {as_cell(await principals.visits(row, column), row.path)} for column in row.cells}

    assert asyncio.run(visited()) == expected(row)


@pytest.mark.parametrize("service", NAMES)
def test_S1_a_route_that_is_not_in_the_table_fails(shop: ShopUnderTest, service: str) -> None:
    listed = {(row.method, row.path) for row in [*OF_SERVICES, *OF_DASHBOARD] if row.service == service}
    assert routed(shop.apps[service]) == listed
    assert documented(shop.apps[service]) <= listed


def test_S1_the_gateway_has_the_routes_in_the_table_and_no_others(shop: ShopUnderTest) -> None:
    passed_on = {each for paths in PASSED_ON_BY_GATEWAY.values() for each in product(METHODS, paths)}
    assert routed(shop.gateway) - routed(shop.apps["shop_manager"]) == passed_on


def test_S1_one_process_for_everything_has_the_routes_of_the_services_and_the_switchboard(shop: ShopUnderTest) -> None:
    services = {route for app in shop.apps.values() for route in routed(app)}
    assert routed(shop.up) - services == UP_ALONE
    assert documented(shop.up) <= services | UP_ALONE


@pytest.mark.parametrize(("method", "path"), sorted(UP_ALONE))
@pytest.mark.parametrize("key", ["", "server", "revoked"])
def test_S1_the_switchboard_is_for_this_machine_and_not_for_web_pages(
    shop: ShopUnderTest, method: str, path: str, key: str
) -> None:
    key_sent = {"authorization": f"Bearer {shop.keys[key]}"} if key else {}
    here = {"host": "127.0.0.1:8470", **key_sent}
    body = b'{"service": "shop", "fault": "resume"}' if method == "POST" else b""

    def status(**more: str) -> int:
        return asyncio.run(send_request(shop.up, method, path, {**here, **more}, body)).status

    assert [status(), status(origin="http://evil.test"), status(host="evil.test")] == [200, 403, 403]


async def asked(principals: Principals, row: RouteRow, *, through_gateway: bool = False) -> dict[str, set[str]]:
    """The cell of each column as the application really answers, one for each of the credentials to try."""
    return {
        column: {
            as_cell(await principals.asks(row, column, each, through_gateway=through_gateway))
            for each in principals.credentials(column, row.service)
        }
        for column in row.cells
    }


def expected(row: RouteRow) -> dict[str, set[str]]:
    return {column: {cell} for column, cell in row.cells.items()}


def as_cell(response: AsgiResponse, path: str = "") -> str:
    """The response as a cell of the table; an unexpected status is shown as a number. An act leads to its `path`."""
    if response.status == 303 and response.location.startswith("/dashboard/login"):
        return "login"
    if response.status == 401 and b"nothing was done yet" in response.body:  # the login page holds the act
        return "login"
    if response.status == 409 and b"of an earlier login" in response.body:  # its form is shown again
        return "403"
    if response.status == 403 and b"Nothing was done yet" in response.body:  # the page of the password holds it
        return "password"
    if (response.status, response.location) == (303, "/dashboard/password") and response.location != path:
        return "password"
    return "in" if response.status in ANSWERED else str(response.status)


def routed(app: FastAPI) -> set[tuple[str, str]]:
    """The real routing table. A route without methods, such as a folder of files, has `?`, which no table has."""
    found = iter_route_contexts(app.routes)
    return {(method, str(each.path)) for each in found for method in sorted((each.methods or {"?"}) - {"HEAD"})}


def documented(app: FastAPI) -> set[tuple[str, str]]:
    paths: dict[str, Any] = app.openapi()["paths"]
    return {(method.upper(), path) for path, operations in paths.items() for method in operations}

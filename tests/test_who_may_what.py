"""S1: every route of every service is open or closed to every kind of caller as the table says; none is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shop_manager.front import METHODS
from tests.who_may.callers import Crowd
from tests.who_may.knocking import Answer, knock
from tests.who_may.open_shop import NAMES, OpenShop
from tests.who_may.table import API, DASHBOARD, IN_FRONT, UP_ALONE, Line, lines_of

ANSWERED = {200, 201, 202, 204, 303, 308, 402, 409, 412, 428}
"""What somebody may be told who was let in: also that it is not possible now."""
LINES = lines_of(API)
EACH = [line._replace(service=name) for line in LINES for name in NAMES if line.service == "each"]
OF_SERVICES = [line for line in LINES if line.service != "each"] + EACH
OF_DASHBOARD = lines_of(DASHBOARD)
PASSED_ON = [line for line in OF_SERVICES if line.service in IN_FRONT and line not in EACH]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShop]:
    with OpenShop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def crowd(shop: OpenShop) -> Crowd:
    return Crowd(shop)


def named(line: Line) -> str:
    return f"{line.service} {line.method} {line.path} {line.body or ''}".strip()


@pytest.mark.parametrize("line", OF_SERVICES, ids=named)
def test_S1_a_route_is_open_to_whom_the_table_says(crowd: Crowd, line: Line) -> None:
    assert asyncio.run(asked(crowd, line)) == expected(line)


@pytest.mark.parametrize("line", PASSED_ON, ids=named)
def test_S1_the_front_opens_no_route_to_anybody_else(crowd: Crowd, line: Line) -> None:
    assert asyncio.run(asked(crowd, line, by_the_front=True)) == expected(line)


@pytest.mark.parametrize("line", OF_DASHBOARD, ids=named)
def test_S1_a_page_is_open_to_whom_the_table_says(crowd: Crowd, line: Line) -> None:
    async def visited() -> dict[str, set[str]]:
        return {column: {told(await crowd.visits(line, column))} for column in line.cells}

    assert asyncio.run(visited()) == expected(line)


@pytest.mark.parametrize("service", NAMES)
def test_S1_a_route_that_is_not_in_the_table_fails(shop: OpenShop, service: str) -> None:
    listed = {(line.method, line.path) for line in [*OF_SERVICES, *OF_DASHBOARD] if line.service == service}
    assert routed(shop.apps[service]) == listed
    assert documented(shop.apps[service]) <= listed


def test_S1_the_front_has_the_routes_in_the_table_and_no_others(shop: OpenShop) -> None:
    passed_on = {each for paths in IN_FRONT.values() for each in product(METHODS, paths)}
    assert routed(shop.front) - routed(shop.apps["shop_manager"]) == passed_on


def test_S1_one_process_for_everything_has_the_routes_of_the_services_and_the_switchboard(shop: OpenShop) -> None:
    services = {route for app in shop.apps.values() for route in routed(app)}
    assert routed(shop.up) - services == UP_ALONE
    assert documented(shop.up) <= services | UP_ALONE


@pytest.mark.parametrize(("method", "path"), sorted(UP_ALONE))
@pytest.mark.parametrize("key", ["", "server", "revoked"])
def test_S1_the_switchboard_is_for_this_machine_and_not_for_web_pages(
    shop: OpenShop, method: str, path: str, key: str
) -> None:
    key_sent = {"authorization": f"Bearer {shop.keys[key]}"} if key else {}
    here = {"host": "127.0.0.1:8470", **key_sent}
    body = b'{"service": "shop", "fault": "resume"}' if method == "POST" else b""

    def status(**more: str) -> int:
        return asyncio.run(knock(shop.up, method, path, {**here, **more}, body)).status

    assert [status(), status(origin="http://evil.test"), status(host="evil.test")] == [200, 403, 403]


async def asked(crowd: Crowd, line: Line, *, by_the_front: bool = False) -> dict[str, set[str]]:
    """What each column is told, by each of the credentials it may have."""
    return {
        column: {
            told(await crowd.asks(line, column, each, by_the_front=by_the_front))
            for each in crowd.credentials(column, line.service)
        }
        for column in line.cells
    }


def expected(line: Line) -> dict[str, set[str]]:
    return {column: {cell} for column, cell in line.cells.items()}


def told(answer: Answer) -> str:
    """The answer as a cell of the table; a status that is none of ours is told as it is."""
    if answer.status == 303 and answer.location.startswith("/dashboard/login"):
        return "login"
    return "in" if answer.status in ANSWERED else str(answer.status)


def routed(app: FastAPI) -> set[tuple[str, str]]:
    """The real routing table. What has no methods, as a folder of files, is `?`: no line of a table speaks of it."""
    found = iter_route_contexts(app.routes)
    return {(method, str(each.path)) for each in found for method in sorted((each.methods or {"?"}) - {"HEAD"})}


def documented(app: FastAPI) -> set[tuple[str, str]]:
    paths: dict[str, Any] = app.openapi()["paths"]
    return {(method.upper(), path) for path, operations in paths.items() for method in operations}

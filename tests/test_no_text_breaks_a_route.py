"""No NUL, no half of a surrogate pair, no odd header: whatever is sent where, no route answers 500 (security S11).

Asked is every operation of every service's OpenAPI document, by somebody who may, and every page of the dashboard.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from tests.postgres import admin_url, administer
from tests.test_who_may_what import OF_DASHBOARD, OF_SERVICES, named
from tests.who_may.asgi_client import AsgiResponse, send_request
from tests.who_may.principals import Principals
from tests.who_may.shop_under_test import NAMES, ShopUnderTest
from tests.who_may.table import BODIES, RouteRow

NO_TEXT = ["%00", "a%00b", "%ED%A0%80", "x%ED%BF%BF", "%FF", "%C0%80", "%F4%90%80%80", "%E2%80"]
"""A NUL, halves of surrogate pairs, bytes that are no UTF-8, an overlong NUL, beyond Unicode, half a character."""
ODD_TEXT = [
    "%E2%80%8B",
    "%E2%80%A8",
    "%C2%B2",
    "9" * 5000,
    "-1",
    "%27%3B--",
    "%F0%9F%A6%B4",
    "%0A",
    "%2500",
    "..",
    "%EF%BF%BE",
]
"""Text that a database takes, and no route expects."""
ODD_HEADERS: dict[str, list[bytes]] = {
    "if-match": [b'"9' + b"9" * 400 + b'"', b'"\xb2"', b'"\xed\xa0\x80"', b"\x80"],
    "if-none-match": [b'"\xed\xa0\x80"', b'"' + b"x" * 3000],
    "idempotency-key": [b"\xed\xa0\x80", b"\xc2\x85", b"\xe2\x80\x8b"],
    "prefer": [b"wait=\xb2", b"wait=" + b"9" * 5000],
    "last-event-id": [b"\xb2", b"9" * 5000, b"\xed\xa0\x80"],
    "request-id": [b"\xed\xa0\x80", b"a\x85b"],
    "traceparent": [b"00-\xed\xa0\x80"],
    "content-type": [b"\xed\xa0\x80", b"application/json; charset=\xff"],
    "accept": [b"\xed\xa0\x80"],
    "host": [b"[", b"\xed\xa0\x80", b"a:b:c", b"shop.test:99999999"],
    "origin": [b"http://[", b"\xed\xa0\x80"],
    "referer": [b"http://[", b"\xed\xa0\x80", b"//[x]/%00"],
    "cookie": [b"clerk_login=\xed\xa0\x80", b'clerk_visit="\\000\\015"', b"clerk_login=" + b"a" * 3000, b"=;=;"],
    "x-csrf-token": [b"\xed\xa0\x80"],
    "authorization": [b"Bearer sk_\xed\xa0\x80", b"Bearer cs_\x80"],
    "x-forwarded-for": [b"\xed\xa0\x80", b"1.2.3.4, ["],
}
DECIDE_FIRST = ("authorization", "content-type", "host", "cookie")
"""Headers that are sent alone: with a bad one the others may not be read."""
DEEP = "[" * 500 + "]" * 500
PLACES: list[Any] = [
    *([place] for place in ("\x00", "a\ud800", "\udfff")),
    *([7, place] for place in ("\x00", "a\ud800", "\udfff")),
    [2**63], [-(2**63)], [2**63, "a"], [10**400], ["\ud83d"], [1.5], [None], {},
]  # fmt: skip
BAD_CURSORS = [base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=") for place in PLACES]
BAD_CURSORS += [
    base64.urlsafe_b64encode(raw).decode().rstrip("=") for raw in (b"\xed\xa0\x80", DEEP.encode(), b'["\x00"]')
]
BAD_BODIES = [
    b'{"any":"\\u0000"}',
    b'{"any":"\\ud800"}',
    b'{"\\udfff":1}',
    b'{"any":"\xed\xa0\x80"}',
    b'{"any":["a\\u0000"]}',
]
PAGE_PARAMETERS = [
    "cursor",
    "id",
    "version",
    "of",
    "seen",
    "next",
    "q",
    "who",
    "state",
    "service",
    "hours",
    "sort",
    "stuck",
    "older_than",
    "customer",
    "shop",
    "reference",
    "story",
    "done",
    "action",
    "target",
    "x",
]


class Parameter(NamedTuple):
    where: str
    name: str


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopUnderTest]:
    folder: Path = tmp_path_factory.mktemp("shop")
    if request.param == "sqlite":
        with ShopUnderTest(folder) as shop:
            yield shop
        return
    admin, name = admin_url(), f"texts_{secrets.token_hex(4)}"
    administer(admin, f"CREATE DATABASE {name}")
    with ShopUnderTest(folder, make_url(admin).set(database=name).render_as_string(hide_password=False)) as shop:
        yield shop
    administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


def together(headers: Mapping[str, list[bytes]]) -> list[dict[str, bytes]]:
    """A few requests' headers in which every value is once."""
    alone = [{name: value} for name in DECIDE_FIRST for value in headers[name]]
    rest = {name: values for name, values in headers.items() if name not in DECIDE_FIRST}
    most = max(map(len, rest.values()))
    return alone + [{name: values[number % len(values)] for name, values in rest.items()} for number in range(most)]


@pytest.fixture(scope="module")
def principals(shop: ShopUnderTest) -> Principals:
    return Principals(shop)


class Asking:
    """Asks one operation, by somebody whom the table lets in."""

    def __init__(self, shop: ShopUnderTest, principals: Principals, row: RouteRow) -> None:
        self.shop = shop
        self.row = row
        self.principals = principals
        self.column = next((column for column, cell in row.cells.items() if cell == "in"), "nobody")
        document = shop.apps[row.service].openapi()["paths"].get(row.path, {}).get(row.method.lower(), {})
        self.parameters = [
            Parameter(each["in"], each["name"]) for each in document.get("parameters", []) if "$ref" not in each
        ]

    def ask(
        self,
        changed: Mapping[Parameter, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> AsgiResponse:
        changed = changed or {}
        path, query = self.row.path, []
        for parameter, text in changed.items():
            if parameter.where == "path":
                path = path.replace(f"{{{parameter.name}}}", text)
            else:
                query.append(f"{parameter.name}={text}")
        path = self.principals.path_of(path, "ended" if self.column == "ended" else "own")
        given: dict[str, str | bytes] = {}
        authorization = self.principals.credentials(self.column, self.row.service)[0]
        if authorization:
            given["authorization"] = authorization
        given |= headers or {}
        if body is None:
            body = json.dumps(BODIES[self.row.body]).encode() if self.row.body in BODIES else b""
        target = path + ("?" + "&".join(query) if query else "")
        return asyncio.run(send_request(self.shop.apps[self.row.service], self.row.method, target, given, body))


OPERATIONS = [row for row in OF_SERVICES if "in" in row.cells.values()]
every_operation = pytest.mark.parametrize("row", OPERATIONS, ids=named)


def problem_of(response: AsgiResponse) -> tuple[int, str, str | None]:
    body = json.loads(response.body)
    return response.status, body["code"], body["param"]


@every_operation
def test_S11_what_is_no_text_is_refused_and_says_where(
    shop: ShopUnderTest, principals: Principals, row: RouteRow
) -> None:
    asking = Asking(shop, principals, row)
    for text in NO_TEXT:
        for parameter in [*asking.parameters, Parameter("query", "unknown")]:
            found = problem_of(asking.ask({parameter: text}))
            wanted = (404, "not_found", None) if parameter.where == "path" else (422, "invalid_request", parameter.name)
            assert found == wanted, (parameter, text)
        assert asking.ask({Parameter("query", text): "1"}).status == 422, text


@every_operation
def test_S11_a_cursor_that_was_not_ours_is_refused(shop: ShopUnderTest, principals: Principals, row: RouteRow) -> None:
    asking = Asking(shop, principals, row)
    for parameter in asking.parameters:
        if parameter.name == "cursor":
            for cursor in BAD_CURSORS:
                assert problem_of(asking.ask({parameter: cursor})) == (422, "invalid_request", "cursor"), cursor


@every_operation
def test_S11_a_body_with_such_a_text_is_refused(shop: ShopUnderTest, principals: Principals, row: RouteRow) -> None:
    if row.method in ("POST", "PUT"):
        for body in BAD_BODIES:
            assert problem_of(Asking(shop, principals, row).ask(body=body)) == (422, "invalid_json", "$"), body


@every_operation
def test_S11_no_odd_text_and_no_odd_header_breaks_a_route(
    shop: ShopUnderTest, principals: Principals, row: RouteRow
) -> None:
    asking = Asking(shop, principals, row)
    for text in ODD_TEXT:
        for parameter in asking.parameters:
            if (parameter.where, text) != ("path", ".."):
                assert asking.ask({parameter: text}).status < 500, (parameter, text)
    for headers in together(ODD_HEADERS):
        assert asking.ask(headers=headers).status < 500, headers


PAGES = [row for row in OF_DASHBOARD if row.method == "GET"]


@pytest.mark.parametrize("row", PAGES, ids=named)
def test_S11_no_text_breaks_a_page(shop: ShopUnderTest, principals: Principals, row: RouteRow) -> None:

    async def statuses(texts: list[str]) -> set[int]:
        return {(await principals.visits(row, "admin", f"?{text}")).status for text in texts}

    assert asyncio.run(statuses([f"x={text}" for text in NO_TEXT])) == {422}
    odd = [f"{name}={text}" for name in PAGE_PARAMETERS for text in ("%C2%B2", "9" * 5000, "%E2%80%A8")]
    assert max(asyncio.run(statuses(odd))) < 500
    assert max(asyncio.run(statuses([f"cursor={quote(each)}" for each in BAD_CURSORS]))) < 500


@pytest.mark.parametrize("row", OF_DASHBOARD, ids=named)
def test_S11_no_header_breaks_a_page(shop: ShopUnderTest, principals: Principals, row: RouteRow) -> None:
    for odd in together(ODD_HEADERS):
        headers: dict[str, str | bytes] = {"content-type": "application/x-www-form-urlencoded", **odd}
        target = principals.path_of(row.path, "own")
        found = asyncio.run(send_request(shop.apps[row.service], row.method, target, headers, b"csrf=1"))
        assert found.status < 500, headers


def test_S11_every_documented_operation_is_asked(shop: ShopUnderTest) -> None:
    asked = {(row.service, row.method, row.path) for row in OPERATIONS}
    for name in NAMES:
        for path, operations in shop.apps[name].openapi()["paths"].items():
            for method in operations:
                assert (name, method.upper(), path) in asked or path == "/payment/provider-events"

"""CORS: who may read which answers, errors and streams among them, and what a preflight is told."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from domain.web_origins import AllowedOrigins, read_origins
from http_api.cross_origin import EXPOSED
from http_api.install_middleware import install_middleware
from http_api.problems import Problem
from http_api.rate_limits import Limits, Rate

SHOP, OTHER = "https://shop.example", "https://evil.example"
ALLOW = "access-control-allow-origin"
ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,idempotency-key,if-match,last-event-id,prefer",
}
BREAKS: dict[str, Any] = {
    "unauthorized": Problem("unauthorized"),
    "too_many": Problem("too_many_requests"),
    "overloaded": Problem("overloaded"),
    "bug": RuntimeError("planted"),
}


def application(origins: AllowedOrigins, limits: Limits | None = None) -> FastAPI:
    app = FastAPI()

    @app.get("/shop/fine")
    @app.get("/ops/fine")
    @app.get("/dashboard/fine")
    @app.get("/shopping/fine")
    async def fine() -> JSONResponse:
        return JSONResponse({}, headers={"Vary": "Accept", "ETag": '"1"'})

    @app.get("/shop/breaks/{how}")
    async def breaks(how: str) -> None:
        raise BREAKS[how]

    @app.post("/shop/fine")
    async def taken(body: dict[str, Any]) -> dict[str, Any]:
        return body

    install_middleware(app, limits=limits or Limits(), origins=origins)
    return app


def call(app: FastAPI, method: str, path: str, origin: str | None = SHOP, **more: Any) -> httpx.Response:
    async def call() -> httpx.Response:
        headers = {**({"Origin": origin} if origin else {}), **more.pop("headers", {})}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://clerk.test") as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(call())


LISTED = application(read_origins(f"{SHOP}, http://localhost:3000"))
EVERYBODY = application(read_origins("*"))
NOBODY = application(read_origins(""))


def test_a_page_of_an_allowed_origin_may_read_the_answer_and_its_headers() -> None:
    answer = call(LISTED, "GET", "/shop/fine")
    assert answer.headers[ALLOW] == SHOP
    assert answer.headers["access-control-expose-headers"] == EXPOSED
    assert answer.headers["vary"] == "Accept, Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [OTHER, "null", f"{SHOP}:8443", f"{SHOP}/", "http://shop.example", None])
def test_any_other_page_may_not_and_caches_are_told_that_it_depends(origin: str | None) -> None:
    answer = call(LISTED, "GET", "/shop/fine", origin)
    assert (answer.status_code, answer.headers["vary"]) == (200, "Accept, Origin")
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("how", "status"), [("unauthorized", 401), ("too_many", 429), ("overloaded", 503), ("bug", 500)]
)
def test_errors_are_readable_too(how: str, status: int) -> None:
    answer = call(LISTED, "GET", f"/shop/breaks/{how}")
    assert (answer.status_code, answer.headers[ALLOW], answer.headers["vary"]) == (status, SHOP, "Origin")
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_middleware_refuses_is_readable_too() -> None:
    large = call(LISTED, "POST", "/shop/fine", content=b"{" + b" " * 70_000)
    broken = call(LISTED, "POST", "/shop/fine", content=b"{")
    card = call(LISTED, "GET", "/shop/fine?x=4111111111111111")
    nothing = call(LISTED, "GET", "/shop/nothing")
    assert [each.status_code for each in (large, broken, card, nothing)] == [413, 422, 422, 404]
    assert {each.headers[ALLOW] for each in (large, broken, card, nothing)} == {SHOP}


def test_a_preflight_is_answered_before_anything_else_and_never_limited() -> None:
    app = application(read_origins(SHOP), Limits(anonymous=Rate(per_second=0.001, burst=1)))
    told = [call(app, "OPTIONS", "/shop/fine", headers=ASKS) for _ in range(3)]
    assert {each.status_code for each in told} == {204}
    headers = told[0].headers
    assert (headers[ALLOW], headers["access-control-max-age"], headers["vary"]) == (SHOP, "7200", "Origin")
    assert headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    allowed = {each.strip().lower() for each in headers["access-control-allow-headers"].split(",")}
    assert set(ASKS["Access-Control-Request-Headers"].split(",")) <= allowed
    assert headers["request-id"] and headers["x-content-type-options"] == "nosniff"
    assert call(app, "GET", "/shop/fine").status_code == 200
    limited = call(app, "GET", "/shop/fine")
    assert (limited.status_code, limited.headers[ALLOW]) == (429, SHOP)


def test_a_preflight_of_another_origin_is_an_options_like_any_other() -> None:
    answer = call(LISTED, "OPTIONS", "/shop/fine", OTHER, headers=ASKS)
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_options_without_a_question_is_no_preflight() -> None:
    answer = call(LISTED, "OPTIONS", "/shop/fine")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert "access-control-allow-methods" not in answer.headers


@pytest.mark.parametrize("path", ["/ops/fine", "/dashboard/fine", "/shopping/fine"])
@pytest.mark.parametrize("app", [LISTED, EVERYBODY], ids=["listed", "everybody"])
def test_the_operators_side_is_open_to_no_other_page(app: FastAPI, path: str) -> None:
    for answer in (call(app, "GET", path), call(app, "OPTIONS", path, headers=ASKS)):
        assert answer.is_success and answer.headers.get("vary") in ("Accept", None)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_with_a_star_every_page_may_and_no_cache_has_to_tell_them_apart() -> None:
    for origin in (OTHER, "null"):
        answer = call(EVERYBODY, "GET", "/shop/fine", origin)
        assert (answer.headers[ALLOW], answer.headers["vary"]) == ("*", "Accept")
        assert "access-control-allow-credentials" not in answer.headers
        assert call(EVERYBODY, "OPTIONS", "/shop/fine", origin, headers=ASKS).headers[ALLOW] == "*"
    assert ALLOW not in call(EVERYBODY, "GET", "/shop/fine", None).headers


def test_without_the_setting_nothing_is_said() -> None:
    for answer in (call(NOBODY, "GET", "/shop/fine"), call(NOBODY, "OPTIONS", "/shop/fine", headers=ASKS)):
        assert answer.headers.get("vary") in ("Accept", None)
        assert not [name for name in answer.headers if name.startswith("access-control")]

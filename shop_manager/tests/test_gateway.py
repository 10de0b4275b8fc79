"""The gateway passes requests on as they are, says which address calls, and forwards nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from domain.web_origins import AllowedOrigins, read_origins
from http_api.install_middleware import install_middleware
from http_api.problems import Problem
from http_api.rate_limits import Limits
from http_api.routes import add_routes
from http_api.shop_offers import ShopOffer, tell_offers
from shop_manager.gateway import gateway_router, services_behind, target

URLS = {name: f"http://{name}:8470" for name in ("shop", "risk", "payment", "fulfillment")}
ServiceResponse = Callable[[httpx.Request], httpx.Response]


def echo(request: httpx.Request) -> httpx.Response:
    """A service that answers with what it was asked."""
    asked = {
        "method": request.method,
        "url": str(request.url),
        "headers": dict(request.headers),
        "body": request.content.decode(),
    }
    headers = [("Retry-After", "7"), ("Connection", "X-Hop"), ("X-Hop", "1"), ("Vary", "a"), ("Vary", "b")]
    return httpx.Response(202, json=asked, headers=headers)


def ask(
    method: str,
    path: str,
    answer: ServiceResponse = echo,
    origins: AllowedOrigins | None = None,
    offers: Mapping[str, ShopOffer] = MappingProxyType({}),
    **more: Any,
) -> httpx.Response:
    """Call the gateway from 203.0.113.7; the services behind it answer with `answer`."""
    app = FastAPI()
    tell_offers(app, offers.get)
    add_routes(app, [gateway_router(services_behind(URLS, transport=httpx.MockTransport(answer)))])
    install_middleware(app, limits=Limits(), origins=origins)

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("203.0.113.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            return await client.request(method, path, **more)

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/shop/products", "shop"),
        ("PUT", "/shop/products/A%2DB", "shop"),
        ("PUT", "/shop/carts/clk_1/items/BONE?x=1&x=%C3%A4", "shop"),
        ("GET", "/risk/customers/ada", "risk"),
        ("POST", "/payment/clk_1", "payment"),
        ("POST", "/fulfillment/clk_1/ship", "fulfillment"),
    ],
)
def test_each_call_goes_to_its_service_as_it_came(method: str, path: str, host: str) -> None:
    answer = ask(method, path)
    assert answer.status_code == 202
    assert (answer.json()["method"], answer.json()["url"]) == (method, f"http://{host}:8470{path}")


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ("shop=toys", "shop_type=physical&currency=EUR"),
        ("limit=2&shop=toys&cursor=%5Ba", "limit=2&cursor=%5Ba&shop_type=physical&currency=EUR"),
        ("shop=toys&shop=toys", "shop=toys&shop=toys"),
        ("shop=%20", "shop=%20"),
        ("kind=digital", "kind=digital"),
    ],
)
def test_the_catalogue_is_asked_for_what_a_shop_sells(asked: str, passed_on: str) -> None:
    answer = ask("GET", f"/shop/products?{asked}", offers={"toys": ShopOffer("physical", "EUR")})
    assert answer.json()["url"] == f"http://shop:8470/shop/products?{passed_on}"


def test_only_the_catalogue_is_asked_for_a_shop() -> None:
    assert ask("GET", "/shop/carts/clk_1?shop=nowhere").json()["url"].endswith("/shop/carts/clk_1?shop=nowhere")
    unknown = ask("GET", "/shop/products?shop=nowhere")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "shop_unknown")


def test_the_body_and_the_clients_headers_go_along() -> None:
    headers = {"Authorization": "Bearer cs_x", "Idempotency-Key": "k", "Content-Type": "application/json"}
    asked = ask("POST", "/payment/clk_1", content=b'{"token": "tok_ok"}', headers=headers).json()
    assert asked["body"] == '{"token": "tok_ok"}'
    assert asked["headers"]["authorization"] == "Bearer cs_x"
    assert asked["headers"]["idempotency-key"] == "k"
    assert asked["headers"]["content-type"] == "application/json"


def test_a_header_that_is_not_ascii_goes_on_as_it_came() -> None:
    seen: list[httpx.Request] = []

    def service(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401)

    answer = ask("GET", "/shop/carts/clk_1", service, headers=[(b"Authorization", "Bearer cs_ö".encode())])
    assert answer.status_code == 401
    assert (b"authorization", "Bearer cs_ö".encode()) in seen[0].headers.raw


def test_only_the_gateway_says_which_address_calls() -> None:
    forged = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}
    headers = ask("GET", "/shop/products", headers=forged).json()["headers"]
    assert headers["x-forwarded-for"] == "203.0.113.7"
    assert not {"forwarded", "x-real-ip"} & headers.keys()


def test_what_is_meant_for_one_hop_goes_no_further() -> None:
    hop = {"Connection": "X-Mine, close", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "x", "Upgrade": "h2c"}
    answer = ask("GET", "/shop/products", headers=hop)
    asked = answer.json()["headers"]
    assert not {"x-mine", "te", "proxy-authorization", "upgrade"} & asked.keys()
    assert asked["host"] == "shop:8470"
    assert "x-hop" not in answer.headers
    assert answer.headers["retry-after"] == "7"
    assert answer.headers.get_list("vary") == ["a", "b"]


def test_the_request_keeps_its_id_and_its_trace() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = ask("GET", "/shop/products", headers={"Request-Id": "web-1", "traceparent": trace})
    asked = answer.json()["headers"]
    assert (asked["request-id"], answer.headers["request-id"]) == ("web-1", "web-1")
    assert asked["traceparent"].split("-")[1] == trace.split("-")[1]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_a_service_that_cannot_be_reached_is_a_503_with_retry_after(error: type[httpx.TransportError]) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise error("secret words about the network")

    answer = ask("POST", "/payment/clk_1", away)
    assert answer.status_code == 503
    assert (answer.json()["code"], answer.json()["retryable"]) == ("service_unavailable", True)
    assert int(answer.headers["retry-after"]) >= 1
    assert "secret" not in answer.text


def test_one_callers_cookie_never_comes_with_another() -> None:
    asked: list[httpx.Request] = []

    def service(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"Set-Cookie": "mine=1; Path=/"})

    app = FastAPI()
    add_routes(app, [gateway_router(services_behind(URLS, transport=httpx.MockTransport(service)))])

    async def call_twice() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://front.test") as client:
            for _ in range(2):
                client.cookies.clear()
                assert "set-cookie" in (await client.get("/shop/products")).headers

    asyncio.run(call_twice())
    assert ["cookie" in request.headers for request in asked] == [False, False]


def test_an_error_of_a_service_is_passed_on_as_it_is() -> None:
    problem = {"code": "card_declined", "status": 402}
    answer = ask("POST", "/payment/clk_1", lambda request: httpx.Response(402, json=problem))
    assert (answer.status_code, answer.json()) == (402, problem)


def test_a_body_over_the_limit_does_not_get_through() -> None:
    reached: list[httpx.Request] = []
    answer = ask("POST", "/payment/clk_1", reached.append, content=b" " * (64 * 1024 + 1))  # type: ignore[arg-type]  # never called
    assert answer.status_code == 413
    assert reached == []


@pytest.mark.parametrize("path", ["/health/ready", "/metrics", "/shop/session", "/ops/clerks", "/shop/productsX", "/"])
def test_nothing_else_is_passed_on(path: str) -> None:
    assert ask("GET", path).status_code == 404


@pytest.mark.parametrize("path", ["/payment/../metrics", "/payment/./x", "/risk/..", "/shop/carts/..\\..\\health"])
def test_a_path_that_would_lead_out_is_not_found(path: str) -> None:
    scope = {
        "type": "http",
        "path": path,
        "raw_path": path.replace(".", "%2e").encode(),
        "query_string": b"",
        "headers": [],
    }
    with pytest.raises(Problem) as refusal:
        target(Request(scope), b"")
    assert refusal.value.code == "not_found"


PREFLIGHT = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}


def test_the_gateway_says_for_the_services_which_pages_may_call_and_says_it_once() -> None:
    def service(request: httpx.Request) -> httpx.Response:
        assert not {"origin", "access-control-request-method"} & set(request.headers)
        return httpx.Response(200, headers={"Vary": "Origin", "ETag": '"1"'})

    path, origins = "/shop/carts/clk_1", read_origins("https://shop.example")
    answer = ask("GET", path, service, origins, headers=PREFLIGHT)
    assert answer.headers.get_list("access-control-allow-origin") == ["https://shop.example"]
    assert (answer.headers["vary"], answer.headers["etag"]) == ("Origin", '"1"')

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    assert ask("GET", path, away, origins, headers=PREFLIGHT).headers["access-control-allow-origin"]
    assert ask("OPTIONS", path, away, origins, headers=PREFLIGHT).status_code == 204, "no service is asked"
    assert "access-control-allow-origin" not in ask("OPTIONS", path, service, headers=PREFLIGHT).headers

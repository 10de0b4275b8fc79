"""Before a payment is told to wait for the order, the cart is asked whether the order is placed (decision 093)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from http_api.problems import CODES
from shop_manager.sessions.elsewhere import SessionsElsewhere
from shop_manager.tests.http_harness import HttpHarness

ROUTES = FastAPI()
for path in ("/payment/{session}", "/fulfillment/{session}"):
    ROUTES.add_api_route(path, lambda session: None)
CART = {"open": (200, {"status": "open"}), "placed": (200, {"status": "placed"}), "none": (404, {"code": "not_found"})}


class Services:
    """The services behind ShopManager: the cart answers so, and there is no payment and no shipment."""

    def __init__(self, status: int, cart: Any) -> None:
        self.status, self.cart = status, cart
        self.asked: list[tuple[str, str, str | None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append((request.method, request.url.path, request.headers.get("authorization")))
        assert await request.body() == b"" or request.method == "POST"
        is_cart = request.url.path.startswith("/shop/carts/")
        answer = JSONResponse(self.cart, self.status) if is_cart else JSONResponse({"code": "not_found"}, 404)
        await answer(scope, receive, send)


def answer(harness: HttpHarness, services: Services, method: str, path: str) -> tuple[httpx.Response, str]:
    """What the session's owner hears, and the credentials shown."""
    session = harness.opened()
    shown = f"Bearer {session['client_secret']}"

    async def call() -> httpx.Response:
        told = SessionsElsewhere(services, harness.sessions)

        async def shop(scope: Scope, receive: Receive, send: Send) -> None:
            await told({**scope, "app": ROUTES}, receive, send)

        transport = httpx.ASGITransport(shop)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            headers = {"Authorization": shown, "If-None-Match": '"1"', "Prefer": "wait=9"}
            body = {"token": "tok_ok"} if method == "POST" else None
            return await client.request(method, path.format(session["id"]), headers=headers, json=body)

    told = asyncio.run(call())
    assert told.json()["session_id"] == session["id"]
    assert services.asked[1:] == [("GET", f"/shop/carts/{session['id']}", shown)]
    return told, session["id"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/payment/{}"), ("POST", "/payment/{}"), ("GET", "/fulfillment/{}")]
)
@pytest.mark.parametrize(
    ("cart", "code"), [("open", "order_not_placed"), ("placed", "not_ready_yet"), ("none", "order_not_placed")]
)
def test_what_the_cart_says_of_the_order_is_so(
    harness: HttpHarness, method: str, path: str, cart: str, code: str
) -> None:
    told, session = answer(harness, Services(*CART[cart]), method, path)
    assert (told.status_code, told.json()["code"]) == (409, code)
    assert told.json()["retryable"] is CODES[code].retryable is (cart == "placed")
    assert ("Retry-After" in told.headers) is (cart == "placed")
    assert (f"POST /shop/carts/{session}/order" in told.json()["detail"]) is (cart != "placed")


def test_a_cart_of_a_session_that_has_ended_says_so(harness: HttpHarness) -> None:
    told, _ = answer(harness, Services(409, {"code": "session_ended"}), "POST", "/payment/{}")
    assert (told.status_code, told.json()["code"]) == (409, "session_ended")


@pytest.mark.parametrize("cart", [(503, {"code": "service_unavailable"}), (500, {}), (200, ["?"]), (429, {})])
def test_while_the_cart_cannot_be_asked_nobody_says_whether_the_order_is_placed(
    harness: HttpHarness, cart: tuple[int, Any]
) -> None:
    told, _ = answer(harness, Services(*cart), "POST", "/payment/{}")
    assert (told.status_code, told.json()["code"], told.json()["retryable"]) == (503, "service_unavailable", True)
    assert told.headers["Retry-After"] == "2"

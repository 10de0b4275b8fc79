"""A client secret that does not fit its session is answered by ShopManager, and waits for nothing (S1, S4)."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi.responses import PlainTextResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from shop_manager.sessions.elsewhere import SessionsElsewhere
from shop_manager.tests.http_harness import SERVER, HttpHarness


class Service:
    """What is behind ShopManager: it counts the calls that come so far."""

    def __init__(self, harness: HttpHarness) -> None:
        self.harness = harness
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await PlainTextResponse("served")(scope, receive, send)

    def answers(self, path: str, key: str | None) -> httpx.Response:
        app = SessionsElsewhere(self, self.harness.sessions)

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
                return await client.get(path, headers={"Authorization": f"Bearer {key}"} if key else {})

        return asyncio.run(call())


@pytest.mark.parametrize("path", ["/payment/{}", "/shop/carts/{}", "/shop/carts/{}/order"])
def test_S4_a_secret_that_does_not_fit_waits_for_nothing_at_the_services(harness: HttpHarness, path: str) -> None:
    service, session, other = Service(harness), harness.opened(), harness.opened()
    foreign, unknown = (
        service.answers(path.format(clerk), other["client_secret"]) for clerk in (session["id"], f"clk_{'0' * 32}")
    )
    assert (foreign.status_code, unknown.status_code, service.asked) == (404, 404, 0)
    assert {**foreign.json(), "request_id": "", "instance": ""} == {**unknown.json(), "request_id": "", "instance": ""}
    for key in (session["client_secret"], session["client_secret"], None, SERVER, "cs_"):
        assert service.answers(path.format(session["id"]), key).text == "served"
    assert service.asked == 5


def test_a_secret_that_fits_is_looked_up_once(harness: HttpHarness) -> None:
    session = harness.opened()
    app = SessionsElsewhere(Service(harness), harness.sessions)
    request = Request({"type": "http", "headers": [(b"authorization", f"Bearer {session['client_secret']}".encode())]})
    assert not asyncio.run(app._is_strangers(request, session["id"]))
    looked = harness.database.statements
    assert not asyncio.run(app._is_strangers(request, session["id"]))
    assert harness.database.statements == looked

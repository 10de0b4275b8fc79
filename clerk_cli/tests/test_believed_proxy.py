"""Where a call comes from behind a proxy that is believed, whatever that passes on (security S4)."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request

from clerk_cli.tests.http_under_test import ServerUnderTest


def the_address() -> FastAPI:
    app = FastAPI()

    @app.get("/from")
    async def read_from(request: Request) -> str:
        return request.client.host if request.client else "nowhere"

    return app


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("g0", "127.0.0.1"),
        ("g1, 127.0.0.1", "127.0.0.1"),
        ("10.78.1.1, garbage", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_S4_what_is_no_address_counts_as_the_proxy(forwarded: str, address: str) -> None:
    with ServerUnderTest(the_address(), proxy=True) as server:
        asked = f"GET /from HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: {forwarded}\r\n\r\n"
        assert server.caller(asked.encode()).hears()[2].decode() == f'"{address}"'

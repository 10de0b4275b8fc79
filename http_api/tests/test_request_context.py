"""What every response carries: the request's id, the trace on its way in, and the security headers."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from http_api.request import Origin, accepted_request_id, accepted_traceparent, origin
from http_api.request_context import RequestContextMiddleware
from http_api.tests.harness import HttpHarness

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EVERYWHERE = [
    ("GET", "/things/a", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/problem", 409),
    ("GET", "/breaks/bug", 500),
    ("GET", "/breaks/away", 503),
    ("GET", "/health/live", 200),
    ("GET", "/docs", 200),
    ("GET", "/things/4242424242424242", 422),
    ("DELETE", "/orders", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), EVERYWHERE)
def test_the_request_id_is_echoed_on_every_answer(harness: HttpHarness, method: str, path: str, status: int) -> None:
    answer = harness.call(method, path, headers={"Request-Id": "web 88213"})
    assert (answer.status_code, answer.headers["request-id"]) == (status, "web 88213")
    assert harness.call(method, path).headers["request-id"].startswith("req_")


@pytest.mark.parametrize("bad", ["", " ", "x" * 129, "a\tb", "é"])
def test_a_bad_request_id_is_replaced(bad: str) -> None:
    assert accepted_request_id(bad).startswith("req_")
    assert accepted_request_id(None).startswith("req_")


def test_a_request_id_has_up_to_128_printable_characters() -> None:
    assert accepted_request_id("x" * 128) == "x" * 128
    assert accepted_request_id("~ !") == "~ !"


@pytest.mark.parametrize(("method", "path", "status"), EVERYWHERE)
def test_the_security_headers_are_on_every_answer(harness: HttpHarness, method: str, path: str, status: int) -> None:
    headers = harness.call(method, path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in headers["content-security-policy"].split("; ")
    assert "server" not in headers


def test_a_valid_traceparent_is_handed_on(harness: HttpHarness) -> None:
    assert harness.call("POST", "/orders", json={}, headers={"traceparent": TRACE}).json()["trace"] == TRACE


@pytest.mark.parametrize(
    "bad",
    ["", "x", TRACE[:-1], TRACE.upper(), "ff" + TRACE[2:], f"00-{'0' * 32}-00f067aa0ba902b7-01",
     f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", TRACE + "-extra"],
)  # fmt: skip
def test_an_invalid_traceparent_is_ignored(bad: str) -> None:
    assert accepted_traceparent(bad) is None


def origin_of(host: str) -> Origin:
    return origin({"client": (host, 1)})


def test_S4_an_ipv6_household_counts_as_one_address_and_its_48_as_one_network() -> None:
    home, same = origin_of("2001:db8:1:2:3::4"), origin_of("2001:db8:1:2:ffff::1")
    assert home == same == Origin("2001:db8:1:2::/64", "2001:db8:1::/48")
    neighbour = origin_of("2001:db8:1:3::4")
    assert (neighbour.network, neighbour.address) == (home.network, "2001:db8:1:3::/64")
    assert origin_of("2001:db8:2:2::4").network != home.network


def test_S4_an_ipv4_address_counts_by_itself_however_it_is_written() -> None:
    assert origin_of("192.0.2.1") == origin_of("::ffff:192.0.2.1") == Origin("192.0.2.1", "192.0.2.1")
    assert origin_of("192.0.2.2").network != origin_of("192.0.2.1").network
    assert origin_of("not an address") == Origin("not an address", "not an address")
    assert origin({"client": None}) == Origin("unknown", "unknown")


def test_who_still_waits_when_the_process_ends_is_told_to_come_again() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def cut_off() -> None:
        begun = asyncio.Event()

        async def waits(scope: Scope, receive: Receive, send: Send) -> None:
            begun.set()
            await asyncio.Event().wait()

        call = asyncio.create_task(RequestContextMiddleware(waits)({"type": "http", "headers": []}, receive, send))
        await begun.wait()
        call.cancel()
        await call

    asyncio.run(cut_off())
    assert sent[0]["status"] == 503
    assert {name for name, _ in sent[0]["headers"]} >= {b"retry-after", b"request-id"}
    assert b"service_unavailable" in sent[1]["body"]

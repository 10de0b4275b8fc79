"""What every answer carries: the request's id, the trace on its way in, and the security headers."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from doors.frame import Frame
from doors.request import address, taken_request_id, taken_traceparent
from doors.tests.bench import Bench

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
def test_the_request_id_is_echoed_on_every_answer(bench: Bench, method: str, path: str, status: int) -> None:
    answer = bench.call(method, path, headers={"Request-Id": "web 88213"})
    assert (answer.status_code, answer.headers["request-id"]) == (status, "web 88213")
    assert bench.call(method, path).headers["request-id"].startswith("req_")


@pytest.mark.parametrize("bad", ["", " ", "x" * 129, "a\tb", "é"])
def test_a_bad_request_id_is_replaced(bad: str) -> None:
    assert taken_request_id(bad).startswith("req_")
    assert taken_request_id(None).startswith("req_")


def test_a_request_id_has_up_to_128_printable_characters() -> None:
    assert taken_request_id("x" * 128) == "x" * 128
    assert taken_request_id("~ !") == "~ !"


@pytest.mark.parametrize(("method", "path", "status"), EVERYWHERE)
def test_the_security_headers_are_on_every_answer(bench: Bench, method: str, path: str, status: int) -> None:
    headers = bench.call(method, path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert "server" not in headers


def test_a_valid_traceparent_is_handed_on(bench: Bench) -> None:
    assert bench.call("POST", "/orders", json={}, headers={"traceparent": TRACE}).json()["trace"] == TRACE


@pytest.mark.parametrize(
    "bad",
    ["", "x", TRACE[:-1], TRACE.upper(), "ff" + TRACE[2:], f"00-{'0' * 32}-00f067aa0ba902b7-01",
     f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", TRACE + "-extra"],
)  # fmt: skip
def test_an_invalid_traceparent_is_ignored(bad: str) -> None:
    assert taken_traceparent(bad) is None


def test_an_ipv6_household_counts_as_one_address() -> None:
    def of(host: str) -> str:
        return address({"client": (host, 1)})

    assert of("2001:db8:1:2:3::4") == of("2001:db8:1:2:ffff::1") != of("2001:db8:1:3::4")
    assert of("::ffff:192.0.2.1") == of("192.0.2.1")
    assert of("not an address") == "not an address"
    assert address({"client": None}) == "unknown"


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

        call = asyncio.create_task(Frame(waits)({"type": "http", "headers": []}, receive, send))
        await begun.wait()
        call.cancel()
        await call

    asyncio.run(cut_off())
    assert sent[0]["status"] == 503
    assert {name for name, _ in sent[0]["headers"]} >= {b"retry-after", b"request-id"}
    assert b"service_unavailable" in sent[1]["body"]

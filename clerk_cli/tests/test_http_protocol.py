"""What a client may hold up, and how HTTP that can be read in two ways is refused; with real connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Event
from time import monotonic

import h11
import pytest

from clerk_cli import http_protocol
from clerk_cli.http_strict import MOST_HEAD, StrictConnection
from clerk_cli.tests.http_under_test import GET, HALF, LIMIT, LONG, ServerUnderTest

SOON = 0.8


@pytest.fixture
def server() -> Iterator[ServerUnderTest]:
    with ServerUnderTest() as running:
        yield running


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerUnderTest]:
    """Its limits of time are short."""
    for part in ("head", "rest", "wait", "left"):
        monkeypatch.setitem(http_protocol.ALLOWED, part, SOON)
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", SOON)
    with ServerUnderTest() as running:
        yield running


def get(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET /hello HTTP/1.1", *lines, b"", b""])


def post(*lines: bytes, body: bytes = b"{}", version: bytes = b"1.1") -> bytes:
    first = [b"POST /echo HTTP/" + version, b"Host: shop", b"Content-Type: application/json"]
    return b"\r\n".join([*first, *lines, b"", body])


def chunked(body: bytes, *lines: bytes, version: bytes = b"1.1") -> bytes:
    return post(b"Transfer-Encoding: chunked", *lines, body=body, version=version)


# --- HTTP that can be read in two ways --------------------------------------------------------------------------------

WHOLE = b"2\r\n{}\r\n0\r\n\r\n"
REFUSED = {
    "chunks and a length": chunked(WHOLE, b"Content-Length: 2"),
    "a length and chunks": post(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=WHOLE),
    "the same length twice": post(b"Content-Length: 2", b"Content-Length: 2"),
    "the same length twice in one": post(b"Content-Length: 2, 2"),
    "two lengths": post(b"Content-Length: 2", b"Content-Length: 3"),
    "a length with a sign": post(b"Content-Length: +2"),
    "a length that is no number": post(b"Content-Length: two"),
    "a space before the colon": post(b"Content-Length : 2"),
    "chunked twice": chunked(WHOLE, b"Transfer-Encoding: chunked"),
    "an unknown coding": post(b"Transfer-Encoding: gzip, chunked", body=WHOLE),
    "chunks in HTTP/1.0": chunked(WHOLE, version=b"1.0"),
    "a chunk of no size": chunked(b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk of a negative size": chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk that is longer than said": chunked(b"2\r\n{}xx0\r\n\r\n"),
    "a last chunk that ends with LF": chunked(b"2\r\n{}\r\n0\r\n\n"),
    "a folded header": get(b"Host: shop", b"X-A: a", b" b"),
    "a folded header, with a tab": get(b"Host: shop", b"X-A: a", b"\tb"),
    "lines that end with LF": b"GET /hello HTTP/1.1\nHost: shop\n\n",
    "one line that ends with LF": get(b"Host: shop\nX-A: a"),
    "a CR in a header": get(b"Host: shop", b"X-A: a\rb"),
    "a NUL in a header": get(b"Host: shop", b"X-A: a\0b"),
    "a NUL in the path": b"GET /hel\0lo HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a header without a colon": get(b"Host: shop", b"X-A"),
    "no host": get(),
    "two hosts": get(b"Host: shop", b"Host: shop"),
    "a greeting in HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0 in the first line": b"GET /hello HTTP/2.0\r\nHost: shop\r\n\r\n",
    "no version": b"GET /hello\r\nHost: shop\r\n\r\n",
    "a space in the path": b"GET /hel lo HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a path beyond ASCII": "GET /hellö HTTP/1.1\r\nHost: shop\r\n\r\n".encode(),
    "a name of a header beyond ASCII": get(b"Host: shop", "X-Ä: a".encode()),
    "two empty lines before a request": b"\r\n\r\n" + GET,
    "a CR alone before a request": b"\r" + GET,
    "an LF alone before a request": b"\n" + GET,
    "no method": b" /hello HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
def test_S4_what_can_be_read_in_two_ways_is_a_400_and_the_end(server: ServerUnderTest, said: bytes) -> None:
    found = server.caller(said).problem()
    assert (found["status"], found["code"]) == (400, "malformed_request")


def test_S4_the_second_of_two_requests_is_checked_like_the_first(server: ServerUnderTest) -> None:
    caller = server.caller(GET + REFUSED["a length and chunks"])
    assert caller.hears()[0] == 200
    assert caller.problem()["code"] == "malformed_request"


@pytest.mark.parametrize("size", [MOST_HEAD, 4 * MOST_HEAD])
def test_S4_headers_over_64_kib_are_a_431_and_the_end(server: ServerUnderTest, size: int) -> None:
    found = server.caller(get(b"Host: shop", b"X-A: " + b"a" * size)).problem()
    assert (found["status"], found["code"]) == (431, "headers_too_large")


def test_S4_an_address_over_64_kib_is_a_431_and_the_end(server: ServerUnderTest) -> None:
    found = server.caller(b"GET /" + b"a" * MOST_HEAD + b" HTTP/1.1\r\nHost: shop\r\n\r\n").problem()
    assert (found["status"], found["code"]) == (431, "headers_too_large")


def test_long_headers_chunks_and_offers_of_other_protocols_are_taken(server: ServerUnderTest) -> None:
    caller = server.caller(get(b"Host: shop", b"X-A: " + b"a" * 60_000))
    assert caller.hears()[0] == 200
    caller.says(chunked(b"2;x=1\r\n{}\r\n0\r\nX: 1\r\n\r\n"))
    assert caller.hears()[2] == b"{}"
    caller.says(get(b"Host: shop", b"Connection: Upgrade", b"Upgrade: h2c"))
    assert caller.hears()[0] == 200


def test_one_empty_line_before_a_request_is_ignored(server: ServerUnderTest) -> None:
    caller = server.caller(b"\r\n" + GET)
    assert caller.hears()[0] == 200
    caller.says(post(b"Content-Length: 2") + b"\r\n" + GET + b"\r\n" + GET)
    assert [caller.hears()[0] for _ in range(3)] == [200, 200, 200]
    for byte in b"\r\n" + GET:
        caller.says(bytes([byte]))
    assert caller.hears()[0] == 200
    caller.says(b"\r\n\r\n" + GET)
    assert caller.problem()["code"] == "malformed_request"


# --- time -------------------------------------------------------------------------------------------------------------


def test_S4_the_limits_of_time_are_these() -> None:
    assert http_protocol.ALLOWED == {"head": 10.0, "rest": 10.0, "wait": 75.0, "left": 2.0}
    assert http_protocol.UNREAD_SECONDS == 20.0


def test_S4_half_a_request_is_a_408_and_the_end_when_its_time_is_over(hurried: ServerUnderTest) -> None:
    found = hurried.caller(HALF).problem()
    assert (found["status"], found["code"]) == (408, "request_timeout")
    hurried.until_nobody_is_connected()


def test_S4_headers_that_trickle_do_not_win_time(hurried: ServerUnderTest) -> None:
    caller, end = hurried.caller(b"GET /hello HTTP/1.1\r\n"), monotonic() + LIMIT
    with suppress(OSError):  # the server has closed it
        while monotonic() < end:
            caller.says(b"X: 1\r\n")
            Event().wait(SOON / 10)
    assert monotonic() < end


def test_S4_half_of_a_later_request_has_the_same_time(hurried: ServerUnderTest) -> None:
    caller = hurried.caller(GET)
    assert caller.hears()[0] == 200
    caller.says(HALF)
    assert caller.problem()["code"] == "request_timeout"


def test_a_kept_connection_that_is_not_used_is_closed_without_a_word(hurried: ServerUnderTest) -> None:
    caller = hurried.caller(GET)
    assert caller.hears()[0] == 200
    assert caller.is_closed()
    hurried.until_nobody_is_connected()


def test_S4_the_rest_of_a_body_that_nobody_wants_is_not_awaited(hurried: ServerUnderTest) -> None:
    caller = hurried.caller(post(b"X: 4111111111111111", b"Content-Length: 10", body=b"a"))
    assert caller.hears()[0] == 422, "it is refused for its headers alone"
    hurried.until_nobody_is_connected()


def test_S4_an_answer_that_is_not_read_is_given_up(hurried: ServerUnderTest) -> None:
    hurried.caller(b"GET /long HTTP/1.1\r\nHost: shop\r\n\r\n")
    hurried.until_nobody_is_connected()


def test_a_long_answer_that_is_read_is_read_to_its_end(server: ServerUnderTest) -> None:
    _, _, body = server.caller(b"GET /long HTTP/1.1\r\nHost: shop\r\n\r\n").hears()
    assert body == LONG


# --- places -----------------------------------------------------------------------------------------------------------


def test_S4_the_next_one_is_told_503_and_a_place_that_becomes_free_is_given() -> None:
    with ServerUnderTest(connections=4, proxy=True) as server:
        halves = [server.caller(HALF) for _ in range(4)]
        found = server.caller(GET).problem()
        assert (found["status"], found["code"], found["retry_after"]) == (503, "overloaded", "5")
        halves[0].says(b"op\r\n\r\n")
        assert halves[0].hears()[0] == 200
        assert server.caller(GET).hears()[0] == 200, "one that only waits makes room"
        assert halves[0].is_closed()
        assert server.caller(GET).hears()[0] == 200


def test_a_long_answer_that_is_still_being_read_makes_no_room() -> None:
    with ServerUnderTest(connections=1, proxy=True) as server:
        reader = server.caller(b"GET /long HTTP/1.1\r\nHost: shop\r\n\r\n")
        reader.waits_for_its_answer()
        assert server.caller(GET).problem()["code"] == "overloaded"
        assert reader.hears()[2] == LONG
        server.until(lambda: server.caller(GET).hears()[0] == 200)
        assert reader.is_closed()


def test_S4_half_sent_requests_starve_nobody_for_longer_than_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(http_protocol.ALLOWED, "head", 3.0)
    with ServerUnderTest(connections=10, proxy=True) as server:
        halves = [server.caller(HALF) for _ in range(300)]
        assert halves[-1].problem()["code"] == "overloaded"
        assert {half.problem()["code"] for half in halves[:10]} == {"request_timeout"}
        assert server.caller(GET).hears()[0] == 200


def test_a_stop_closes_whoever_has_sent_half_a_request() -> None:
    with ServerUnderTest() as server:
        caller = server.caller(HALF)
        refused = server.caller(REFUSED["no host"])
        refused.hears()
        server.server.stop()
        assert caller.is_closed()
        assert not server.server.alive


def test_second_answers_do_not_wait_for_the_network(server: ServerUnderTest) -> None:
    """TCP_NODELAY: without it every answer on a kept connection comes 40 ms late."""
    caller = server.caller(GET)
    assert caller.hears()[0] == 200
    [connection] = server.server.connections.placed()
    found = connection.transport.get_extra_info("socket")  # type: ignore[attr-defined]
    assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("body", [b"hello", b""])
def test_an_answers_head_goes_out_with_the_first_of_its_body(body: bytes) -> None:
    connection = StrictConnection()
    connection.receive_data(get(b"Host: shop"))
    connection.next_event()
    head = connection.send(h11.Response(status_code=200, headers=[("Content-Length", str(len(body)))]))
    first = connection.send(h11.Data(data=body))
    rest = connection.send(h11.EndOfMessage())
    assert head == b"" and first.startswith(b"HTTP/1.1 200 ") and (first + rest).endswith(b"\r\n\r\n" + body)

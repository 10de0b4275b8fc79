"""Following an order: a broken event stream is opened again, and each step is printed once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from clerk_cli.client import ApiClient
from clerk_cli.errors import CliError
from clerk_cli.order import follow
from clerk_cli.order_shown import changes, money, summary


def session(version: int, status: str = "processing", **states: str) -> dict[str, Any]:
    progress = [
        {"step": step, "state": state, "at": f"2026-01-01T00:00:0{at}Z"}
        for at, (step, state) in enumerate(states.items())
    ]
    return {"id": "clk_1", "version": version, "status": status, "progress": progress, "items": [], "total": 0}


class StreamServer:
    """A server with prepared event streams: each request gets the next one, then the connection is closed."""

    def __init__(self, streams: list[list[Any]]) -> None:
        self.seen: list[str | None] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.seen.append(self.headers["Last-Event-ID"])
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for each in streams.pop(0):
                    data = each if isinstance(each, str) else json.dumps(each)
                    self.wfile.write(f"id: 1\nevent: session\ndata: {data}\n\n: still here\n\n".encode())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[StreamServer]:
    shop = StreamServer(request.param)
    yield shop
    shop.close()


@pytest.mark.parametrize("shop", [[[session(2)], [], [session(3, "completed")]]], indirect=True)
def test_a_broken_stream_goes_on_where_it_broke(shop: StreamServer) -> None:
    versions = [each["version"] for each in follow(ApiClient(shop.url), session(1))]
    assert versions == [1, 2, 3]
    assert shop.seen == ["1", "2", "2"]


@pytest.mark.parametrize("shop", [[]], indirect=True)
def test_an_order_that_has_ended_is_not_followed(shop: StreamServer) -> None:
    assert [each["version"] for each in follow(ApiClient(shop.url), session(9, "failed"))] == [9]
    assert shop.seen == []


@pytest.mark.parametrize("shop", [[["nonsense"]], [["[]"]], [["{}"]]], indirect=True)
def test_a_stream_that_is_none_of_a_shops_is_told_in_one_line(shop: StreamServer) -> None:
    with pytest.raises(CliError, match="cannot be read"):
        list(follow(ApiClient(shop.url), session(1)))


def test_each_step_that_changed_is_one_line_in_the_order_of_their_moments() -> None:
    before, after = (
        session(1, shopping="asked", credit="to_do"),
        session(2, credit="done", shopping="done", payment="to_do"),
    )
    assert changes({}, before) == ["shopping asked"]
    assert changes(before, after) == ["credit done", "shopping done"]
    assert changes(after, after) == []


def test_an_order_that_failed_says_why_and_what_happens_with_the_money() -> None:
    failure = {
        "code": "card_declined",
        "step": "payment",
        "detail": "declined \x1b[31m",
        "money": "nothing was charged",
    }
    told = summary({**session(3, "failed"), "failure": failure}).plain
    assert told == "clk_1: failed, because of card_declined at payment: declined \\x1b[31m (nothing was charged)"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (2590, "EUR", "25.90 EUR"),
        (5, "EUR", "0.05 EUR"),
        (1200, "JPY", "1200 JPY"),
        (2590, "XOF", "2590 XOF"),
        (12_500, "KWD", "12.500 KWD"),
        (12_345, "CLF", "1.2345 CLF"),
        (100, "", "1.00"),
    ],
)
def test_money_is_shown_with_the_decimal_places_of_its_currency(amount: int, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown
    if currency:
        order = {**session(3, "completed"), "items": [{"sku": "BONE"}], "total": amount, "currency": currency}
        assert summary(order).plain == f"clk_1: completed, {shown}"

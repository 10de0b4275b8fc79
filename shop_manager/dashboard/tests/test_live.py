"""Live updates of an open page: what has changed and nothing else, for as long as somebody is logged in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from domain.times import hours
from http_api.keys import KeyRing
from http_api.operators import Operators
from shop_manager.dashboard import live
from shop_manager.dashboard.cookies import LOGIN
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.dashboard.tests.test_clerks_page import stuck_at_capture
from shop_manager.tests.http_harness import HttpHarness

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", 0.01)


class Stream:
    """The events that an open page receives, each as soon as it is sent."""

    def __init__(self, browser: BrowserClient, path: str) -> None:
        self.messages: list[str] = []
        self.ended = False
        path, _, query = path.partition("?")
        self._scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [
                (b"host", b"shop.test"), (b"accept", b"text/event-stream"),
                (b"cookie", f"{LOGIN}={browser.cookies[LOGIN]}".encode()),
            ],
            "client": (browser.address, 4711), "server": ("shop.test", 80),
        }  # fmt: skip
        self._app = browser.harness.app_at(path)
        self._gone = asyncio.Event()
        self.status = 0

    async def run(self) -> None:
        await self._app(self._scope, self._receive, self._send)
        self.ended = True

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        text = message.get("body", b"").decode()
        self.messages += re.findall(r"(?:^data: .*\n?)+", text, re.MULTILINE)

    def leave(self) -> None:
        self._gone.set()


def heard(
    browser: BrowserClient, path: str, *acts: Callable[[Stream], object], until: Callable[[Stream], bool]
) -> Stream:
    """Listens; does the acts after the first message; returns when `until` holds or the stream has ended."""

    async def listen() -> Stream:
        stream = Stream(browser, path)
        running = asyncio.ensure_future(stream.run())
        await _reached(lambda: stream.messages or stream.ended)
        for act in acts:
            await asyncio.to_thread(act, stream)
        await _reached(lambda: until(stream) or stream.ended)
        stream.leave()
        await asyncio.wait_for(running, 5)
        return stream

    return asyncio.run(listen())


async def _reached(state: Callable[[], object], limit: float = 5.0) -> None:
    async def look() -> None:
        while not state():
            await asyncio.to_thread(lambda: None)

    await asyncio.wait_for(look(), limit)


def test_the_status_banner_is_sent_to_every_page_and_again_when_it_has_changed(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    stream = heard(
        viewer,
        "/dashboard/live",
        lambda _: stuck_at_capture(harness),
        until=lambda stream: "1 stuck" in stream.messages[-1],
    )
    assert "Nothing is stuck" in stream.messages[0] and len(stream.messages) == 2
    assert re.search(r'hx-target="#pulse"', stream.messages[1])


def test_the_time_of_the_look_is_told_anew_now_and_then(viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TELL_EVERY", 0.02)
    stream = heard(viewer, "/dashboard/live", until=lambda stream: len(stream.messages) >= 3)
    assert len(stream.messages) >= 3
    assert all("Nothing is stuck" in message for message in stream.messages)


def test_a_list_tells_what_is_new_and_moves_nothing(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.opened()
    page = viewer.get("/dashboard/clerks?status=open").text
    [path] = re.findall(r'hx-sse:connect="([^"]+)"', page)
    harness.now += 1000

    def two_more(_: Stream) -> None:
        harness.opened()
        harness.opened()

    path = path.replace("&amp;", "&")
    stream = heard(viewer, path, two_more, until=lambda stream: "2 new" in stream.messages[-1])
    assert "show" not in stream.messages[0]
    assert re.search(r'hx-target="#news".*href="/dashboard/clerks\?status=open">2 new, show<', stream.messages[-1])
    assert "<tr" not in "".join(stream.messages)


def test_all_of_the_home_page_changes_together_and_what_is_as_it_was_is_left_alone(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    [path] = re.findall(r'hx-sse:connect="([^"]+)"', viewer.get("/dashboard").text)
    stream = heard(
        viewer,
        path.replace("&amp;", "&"),
        lambda _: stuck_at_capture(harness),
        until=lambda stream: "1 stuck" in "".join(stream.messages),
    )
    changed = next(message for message in stream.messages if "Yes: 1 order is stuck" in message)
    for place in ("pulse", "title", "verdict", "causes"):
        assert f'hx-target="#{place}"' in changed
    for place in ("counts", "flow"):  # they may have changed when it was opened, before it was stuck
        assert f'hx-target="#{place}"' in "".join(stream.messages[1:])
    assert 'hx-target="#health"' in stream.messages[0] and 'hx-target="#health"' not in changed
    assert "no answer" in changed and "no answer" not in stream.messages[0]


def test_a_broken_filter_tells_nothing_of_the_list(viewer: BrowserClient) -> None:
    stream = heard(viewer, "/dashboard/live?of=clerks&kind=x&since=no", until=lambda stream: bool(stream.messages))
    assert 'hx-target="#pulse"' in stream.messages[0] and "#news" not in stream.messages[0]


def test_S8_a_stream_ends_with_its_login(harness: HttpHarness) -> None:
    browser = BrowserClient(harness).logged_in("viewer", "ada")
    changed = heard(
        browser,
        "/dashboard/live",
        lambda _: Operators(KeyRing(harness.database)).add_operator("ada", "viewer"),
        until=lambda stream: stream.ended,
    )
    assert changed.ended
    again = BrowserClient(harness).logged_in("viewer", "eve")

    def time_passes(_: Stream) -> None:
        harness.now += hours(1)

    assert heard(again, "/dashboard/live", time_passes, until=lambda stream: stream.ended).ended


def test_streams_end_when_the_process_does(harness: HttpHarness, viewer: BrowserClient) -> None:
    assert heard(viewer, "/dashboard/live", lambda _: harness.notifier.close(), until=lambda stream: stream.ended).ended


def test_too_many_streams_are_refused_and_a_closed_one_makes_room(
    viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST", 1)
    statuses: list[int] = []

    def another(_: Stream) -> None:
        statuses.append(viewer.get("/dashboard/live", accept="text/event-stream").status_code)

    for _ in range(2):
        stream = heard(viewer, "/dashboard/live", another, until=lambda stream: bool(stream.messages))
        assert stream.status == 200
    assert statuses == [503, 503]


def test_S4_one_operators_pages_leave_room_for_those_of_others(
    harness: HttpHarness, viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "OF_OPERATOR", 1)
    other = BrowserClient(harness).logged_in("viewer", "eve")
    found: list[int] = []

    def another(_: Stream) -> None:
        found.append(viewer.get("/dashboard/live", accept="text/event-stream").status_code)

    def of_another(_: Stream) -> None:
        there = heard(other, "/dashboard/live", until=lambda stream: bool(stream.messages))
        found.append(there.status)

    heard(viewer, "/dashboard/live", another, of_another, until=lambda stream: bool(stream.messages))
    assert found == [429, 200]

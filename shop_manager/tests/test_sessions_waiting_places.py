"""Who may hold how many waiting calls, and that each is free again as soon as its client has gone (security S4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import pytest

from http_api.places import ALL, Bound
from shop_manager.sessions import waiting_places
from shop_manager.tests.http_harness import SERVER, HttpHarness, reached
from shop_manager.waiting_calls import WaitingCalls

HOME = "203.0.113.7"


class WaitingCall:
    """One long poll or event stream on its way through the application, as a server carries it."""

    def __init__(self, harness: HttpHarness, key: str | None, *, path: str, at: str = HOME) -> None:
        headers = [
            (b"prefer", b"wait=30"),
            (b"if-none-match", b"*"),
            *([(b"authorization", b"Bearer " + key.encode())] if key else []),
        ]
        self.scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": headers, "client": (at, 4711), "server": ("shop.test", 80),
        }  # fmt: skip
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self._gone = asyncio.Event()
        self._asked = False
        self.task = asyncio.ensure_future(harness.app_at(path)(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        self.body += message.get("body", b"")

    def leaves(self) -> None:
        self._gone.set()

    async def is_over(self) -> None:
        await asyncio.wait_for(self.task, 5)


class Waiters:
    """Waiting calls of one test; `held` is how many have read their Clerk and wait for another version."""

    def __init__(self, harness: HttpHarness) -> None:
        self.harness = harness
        self.calls: list[WaitingCall] = []

    async def come(self, session: str, key: str | None, count: int = 1, *, events: bool = False, at: str = HOME) -> int:
        """So many more come; returns the status of the last one that was refused, 0 when all of them wait."""
        refused = 0
        for _ in range(count):
            before = self.held
            path = f"/shop/session/{session}" + ("/events" if events else "")
            call = WaitingCall(self.harness, key, path=path, at=at)
            await reached(partial(self._settled, call, before))
            if self.held > before:
                self.calls.append(call)
            else:
                refused = call.status
                self.last = call
        return refused

    def _settled(self, call: WaitingCall, before: int) -> bool:
        return self.held > before or call.task.done()

    @property
    def held(self) -> int:
        waiters = [each for waiters in self.harness.notifier._waiting.values() for each in waiters]
        return sum(each.version is not None for each in waiters)

    async def leave(self) -> None:
        for call in self.calls:
            call.leaves()
        for call in self.calls:
            await call.is_over()
        self.calls.clear()


def waiting(harness: HttpHarness, story: Callable[[Waiters], Awaitable[None]]) -> None:
    async def told() -> None:
        waiters = Waiters(harness)
        await story(waiters)
        await waiters.leave()
        assert harness.notifier._count == 0 and len(harness.sessions.places) == 0

    asyncio.run(asyncio.wait_for(told(), 60))


def sessions(harness: HttpHarness, count: int) -> Iterable[tuple[str, str]]:
    for _ in range(count):
        session = harness.opened()
        yield session["id"], session["client_secret"]


@pytest.mark.parametrize("events", [False, True], ids=["long polls", "event streams"])
@pytest.mark.parametrize("who", ["customer", "server"])
def test_S4_eight_calls_may_wait_for_one_session(harness: HttpHarness, who: str, events: bool) -> None:
    [(session, secret)] = sessions(harness, 1)

    async def story(waiters: Waiters) -> None:
        key = secret if who == "customer" else SERVER
        assert await waiters.come(session, key, 8, events=events) == 0
        assert await waiters.come(session, key, events=not events) == 429
        assert b'"too_many_requests"' in waiters.last.body and int(waiters.last.headers["retry-after"]) >= 1

    waiting(harness, story)


def test_S4_a_session_without_a_free_place_can_still_be_read(harness: HttpHarness) -> None:
    [(session, secret)] = sessions(harness, 1)

    async def story(waiters: Waiters) -> None:
        await waiters.come(session, secret, 8)
        assert (await harness.acall("GET", f"/shop/session/{session}", secret)).status_code == 200

    waiting(harness, story)


def test_S1_a_stranger_takes_no_place_of_a_session_and_learns_nothing_of_it(harness: HttpHarness) -> None:
    [(session, secret)] = sessions(harness, 1)

    async def story(waiters: Waiters) -> None:
        assert await waiters.come(session, secret, 8) == 0
        for stranger, status in (("cs_stranger", 404), (None, 401)):
            assert await waiters.come(session, stranger) == status
            assert await waiters.come("clk_none", stranger) == status
        assert await waiters.come(session, SERVER, 8) == 0  # the shop's backend has its own places

    waiting(harness, story)


@pytest.mark.parametrize("events", [False, True], ids=["long polls", "event streams"])
def test_S4_a_place_is_free_as_soon_as_its_client_has_gone(harness: HttpHarness, events: bool) -> None:
    [(session, secret)] = sessions(harness, 1)

    async def story(waiters: Waiters) -> None:
        for _ in range(3):
            assert await waiters.come(session, secret, 8, events=events) == 0
            await waiters.leave()
            assert waiters.held == 0

    waiting(harness, story)


def test_S4_an_address_has_so_many_places_whatever_the_session_and_a_key_has_its_own(harness: HttpHarness) -> None:
    harness.sessions._waiting_per_address = 4
    several = list(sessions(harness, 6))

    async def story(waiters: Waiters) -> None:
        for session, secret in several[:4]:
            assert await waiters.come(session, secret) == 0
        session, secret = several[4]
        assert await waiters.come(session, secret) == 429
        assert await waiters.come(session, secret, events=True) == 429
        assert await waiters.come(session, SERVER) == 0
        assert await waiters.come(session, secret, at="203.0.113.8") == 0

    waiting(harness, story)


def test_S4_a_64_has_the_places_of_an_address_and_its_48_four_times_as_many(harness: HttpHarness) -> None:
    harness.sessions._waiting_per_address = 2
    several = list(sessions(harness, 10))

    async def story(waiters: Waiters) -> None:
        for number, (session, secret) in enumerate(several[:8]):
            assert await waiters.come(session, secret, at=f"2001:db8:1:{number // 2:x}::{number + 1:x}") == 0
        assert await waiters.come(*several[8], at="2001:db8:1:3::99") == 429
        assert await waiters.come(*several[8], at="2001:db8:1:4::1") == 429
        assert await waiters.come(*several[9], at="2001:db8:2::1") == 0

    waiting(harness, story)


def test_S4_all_customers_together_leave_places_for_access_keys(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_places, "OF_CUSTOMERS", 2)
    several = list(sessions(harness, 3))

    async def story(waiters: Waiters) -> None:
        for number, (session, secret) in enumerate(several[:2]):
            assert await waiters.come(session, secret, at=f"203.0.113.{number}") == 0
        assert await waiters.come(*several[2], at="203.0.113.9") == 503
        assert await waiters.come(several[2][0], SERVER) == 0

    waiting(harness, story)


def test_S4_one_access_key_leaves_places_for_others(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_places, "OF_KEY", 2)
    several = list(sessions(harness, 3))

    async def story(waiters: Waiters) -> None:
        for session, _ in several[:2]:
            assert await waiters.come(session, SERVER) == 0
        assert await waiters.come(several[2][0], SERVER) == 429
        assert await waiters.come(several[2][0], "sk_twin") == 0

    waiting(harness, story)


def test_the_figures_count_those_who_wait_and_say_how_many_may(harness: HttpHarness) -> None:
    (session, secret), (other, _) = sessions(harness, 2)
    figures = WaitingCalls(harness.operations)

    async def story(waiters: Waiters) -> None:
        await waiters.come(session, secret)
        await waiters.come(other, SERVER)
        with harness.operations.open_pages.held([Bound(ALL, 100, "Full.")]):
            assert counted(figures) == {
                "sessions": (2, 2000),
                "customers": (1, 1500),
                "news": (0, 100),
                "pages": (1, 100),
            }

    waiting(harness, story)
    assert {held for held, _ in counted(figures).values()} == {0}


def counted(figures: WaitingCalls) -> dict[str, tuple[float, float]]:
    """(held, most) by what is waited for."""
    held, most = ({each.labels["waits_for"]: each.value for each in family.samples} for family in figures.collect())
    return {name: (held[name], most[name]) for name in held}


def test_the_agreed_numbers() -> None:
    assert (waiting_places.OF_SESSION, waiting_places.PER_ADDRESS, waiting_places.NETWORK_FACTOR) == (8, 100, 4)
    assert (waiting_places.OF_KEY, waiting_places.OF_CUSTOMERS) == (1000, 1500)

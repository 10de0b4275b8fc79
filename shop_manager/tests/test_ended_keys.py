"""What was opened with an access key ends with the key: streams, long polls and files (security S2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from http_api import held_calls
from http_api.keys import Holder
from shop_manager.operations import api as operations_api
from shop_manager.sessions import api as sessions_api
from shop_manager.tests.http_harness import SERVER, HttpHarness, reached
from shop_manager.tests.test_sessions_waiting_places import WaitingCall

NIGHT = "op_night"
PROMOTED = Holder("c", "operator", "night", "admin")
Opened = Callable[[HttpHarness], tuple[str, str]]


@pytest.fixture(autouse=True)
def _asked_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert held_calls.CHECK_EVERY <= 5
    monkeypatch.setattr(held_calls, "CHECK_EVERY", 0.01)
    monkeypatch.setattr(sessions_api, "CHECK_EVERY", 0.01)


def session_events(harness: HttpHarness) -> tuple[str, str]:
    return SERVER, str(harness.opened()["links"]["events"])


def operators_events(harness: HttpHarness) -> tuple[str, str]:
    return NIGHT, "/ops/events"


def all_keys_are_of(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch, holder: Holder | None) -> None:
    """None: they are revoked."""
    monkeypatch.setattr(harness.app.state.keys, "check", lambda _plain: holder)
    monkeypatch.setattr(harness.app.state.keys, "fault", lambda _plain: "revoked")


def held(harness: HttpHarness, key: str, path: str, act: Callable[[], object]) -> WaitingCall:
    """A call that stays open; `act` happens as soon as it does. Returns once it has ended by itself."""

    async def story() -> WaitingCall:
        call = WaitingCall(harness, key, path=path)
        await reached(lambda: call.status == 200 or harness._somebody_waits())
        act()
        await call.is_over()
        return call

    return asyncio.run(story())


@pytest.mark.parametrize("opened", [session_events, operators_events])
@pytest.mark.parametrize("holder", [None, PROMOTED], ids=["revoked", "another role"])
def test_S2_a_stream_ends_with_its_key(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch, opened: Opened, holder: Holder | None
) -> None:
    key, path = opened(harness)
    call = held(harness, key, path, lambda: all_keys_are_of(harness, monkeypatch, holder))
    assert call.status == 200


def test_S2_a_long_poll_ends_with_its_key(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    path = harness.opened()["links"]["self"]
    call = held(harness, SERVER, path, lambda: all_keys_are_of(harness, monkeypatch, None))
    assert (call.status, b"was revoked" in call.body) == (401, True)


def test_S2_a_customers_stream_asks_for_no_key_and_goes_on(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = harness.brings_all()

    def act() -> None:
        all_keys_are_of(harness, monkeypatch, None)
        harness.goes_on_to_the_end()

    call = held(harness, session["client_secret"], session["links"]["events"], act)
    assert b'"status":"completed"' in call.body


def test_S2_a_file_gets_no_further_page_with_a_key_that_has_ended(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        harness.opened()
    monkeypatch.setattr(operations_api, "PAGE", 1)
    reads, pages = harness.operations.reads, list[Any]()
    page_of = reads.clerks

    def clerks(*given: Any, **named: Any) -> Any:
        pages.append(named["cursor"])
        all_keys_are_of(harness, monkeypatch, None)
        return page_of(*given, **named)

    monkeypatch.setattr(reads, "clerks", clerks)
    with pytest.raises(RuntimeError, match="response already started"):
        harness.get("/ops/clerks.csv", NIGHT)
    assert pages == [None]

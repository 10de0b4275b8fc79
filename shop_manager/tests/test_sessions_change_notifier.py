"""Waiting for changes: bounded, ended with the process, and not ended by a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy.exc import OperationalError

from shop_manager.saga.state import Saga
from shop_manager.sessions import change_notifier
from shop_manager.sessions.change_notifier import ChangeNotifier
from shop_manager.tests.http_harness import SERVER, HttpHarness, reached

AWAY = OperationalError("SELECT 1", {}, Exception("connection refused"))


def test_so_many_may_wait_and_no_more(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    session = harness.opened()
    monkeypatch.setattr(change_notifier, "MOST", 0)
    for answered in (
        harness.get(session["links"]["self"], SERVER, Prefer="wait=5", If_None_Match="*"),
        harness.get(session["links"]["events"], SERVER),
    ):
        assert (answered.status_code, answered.json()["code"]) == (503, "overloaded")
        assert int(answered.headers["retry-after"]) >= 1
    assert harness.get(session["links"]["self"], SERVER).status_code == 200


def test_a_stream_ends_when_the_database_is_away(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    session = harness.opened()

    def away(clerk: str) -> Saga:
        raise AWAY

    monkeypatch.setattr(harness.sessions, "reread", away)
    answered = harness.get(session["links"]["events"], SERVER)
    assert answered.status_code == 200
    assert "event:" not in answered.text
    assert harness.notifier._count == 0


def test_poller_goes_on_when_the_database_was_away_and_ends_when_nobody_waits() -> None:
    looks = 0

    def versions(ids: list[str]) -> Mapping[str, int]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise AWAY
        return {"clk_1": 2, "clk_gone": 7}

    notifier = ChangeNotifier(versions, every=0.01)

    async def wait() -> bool:
        with notifier.watching("clk_1") as waiter:
            changed = await waiter.changed(1, 5)
        await reached(lambda: notifier._poller is None)
        return changed

    assert asyncio.run(wait()) is True
    assert looks >= 2


def test_only_those_who_wait_for_the_clerk_are_woken() -> None:
    notifier = ChangeNotifier(lambda ids: {}, every=0.01)

    async def wait() -> tuple[bool, bool]:
        with notifier.watching("clk_1") as mine, notifier.watching("clk_2") as other:
            notifier.changed(["clk_1", "clk_3"])
            return await mine.changed(1, 5), await other.changed(1, 0.05)

    assert asyncio.run(wait()) == (True, False)

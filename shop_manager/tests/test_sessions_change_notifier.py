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

    async def away(clerk: str) -> Saga:
        raise AWAY

    monkeypatch.setattr(harness.sessions, "seen_again", away)
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
            notifier.changed({"clk_1": a_saga(version=2), "clk_3": a_saga(version=3)})
            return await mine.changed(1, 5), await other.changed(1, 0.05)

    assert asyncio.run(wait()) == (True, False)


def test_who_is_woken_is_told_the_newest_that_was_committed_here_once() -> None:
    notifier = ChangeNotifier(lambda ids: {}, every=60)

    async def wait() -> list[Saga | None]:
        told: list[Saga | None] = []
        with notifier.watching("clk_1") as waiter:
            for version in (3, 2):  # two threads may tell in any order
                notifier.changed({"clk_1": a_saga(version=version)})
            await waiter.changed(1, 5)
            told += [waiter.told(), waiter.told()]
            notifier.changed({"clk_1": a_saga(version=3)})
            await waiter.changed(3, 5)
            told.append(waiter.told())  # it is known: the Clerk has to be read
        return told

    assert [saga.version if saga else None for saga in asyncio.run(wait())] == [3, None, None]


def a_saga(version: int) -> Saga:
    return Saga("clk_1", "standard/1", version, "running", 0, 0, 0, {})

"""Waiting for changes: bounded, let go at the end, and quiet when the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy.exc import OperationalError

from shop_manager import waiting
from shop_manager.saga import Saga
from shop_manager.tests.house import SERVER, House, reached
from shop_manager.waiting import Watch

AWAY = OperationalError("SELECT 1", {}, Exception("connection refused"))


def test_so_many_may_wait_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    session = house.opened()
    monkeypatch.setattr(waiting, "MOST", 0)
    for answered in (
        house.get(session["links"]["self"], SERVER, Prefer="wait=5"),
        house.get(session["links"]["events"], SERVER),
    ):
        assert (answered.status_code, answered.json()["code"]) == (503, "overloaded")
        assert int(answered.headers["retry-after"]) >= 1
    assert house.get(session["links"]["self"], SERVER).status_code == 200


def test_a_stream_ends_when_the_database_is_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    session = house.opened()

    def away(clerk: str) -> Saga:
        raise AWAY

    monkeypatch.setattr(house.sessions, "reread", away)
    answered = house.get(session["links"]["events"], SERVER)
    assert answered.status_code == 200
    assert "event:" not in answered.text
    assert house.watch._count == 0


def test_looking_goes_on_when_the_database_was_away_and_ends_when_nobody_waits() -> None:
    looks = 0

    def versions(ids: list[str]) -> Mapping[str, int]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise AWAY
        return {"clk_1": 2, "clk_gone": 7}

    watch = Watch(versions, every=0.01)

    async def wait() -> bool:
        with watch.watching("clk_1") as waiter:
            changed = await waiter.changed(1, 5)
        await reached(lambda: watch._looking is None)
        return changed

    assert asyncio.run(wait()) is True
    assert looks >= 2


def test_only_those_who_wait_for_the_clerk_are_woken() -> None:
    watch = Watch(lambda ids: {}, every=0.01)

    async def wait() -> tuple[bool, bool]:
        with watch.watching("clk_1") as mine, watch.watching("clk_2") as other:
            watch.changed(["clk_1", "clk_3"])
            return await mine.changed(1, 5), await other.changed(1, 0.05)

    assert asyncio.run(wait()) == (True, False)

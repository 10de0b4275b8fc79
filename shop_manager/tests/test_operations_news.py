"""News for open lists: an event at once, one after each change, and nothing that grows."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from fastapi.concurrency import run_in_threadpool

from doors.problems import Problem
from shop_manager.operations import news
from shop_manager.tests.house import House


def heard(house: House, acts: list[Any]) -> list[dict[str, Any]]:
    """The first event, and one after each of the acts."""

    async def listen() -> list[dict[str, Any]]:
        stream = house.operations.news.follow()
        events = [await following(stream)]
        for act in acts:
            await run_in_threadpool(act)
            events.append(await following(stream))
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        return events

    house.operations.news.every = 0.01
    return asyncio.run(asyncio.wait_for(listen(), 20))


async def following(stream: Any) -> dict[str, Any]:
    while True:
        message = await anext(stream)
        if message.startswith(b"event: changed"):
            found: dict[str, Any] = orjson.loads(message.split(b"data: ", 1)[1])
            return found


def test_a_change_of_this_process_is_told_with_its_clerk_and_the_counters(house: House) -> None:
    clerks: list[str] = []
    first, second = heard(house, [lambda: clerks.append(move_one(house))])
    assert (first["counts"]["processing"], first["clerks"]) == (0, [])
    assert second["mark"] != first["mark"]
    assert house.operations.news._followers == {}


def move_one(house: House) -> str:
    clerk: str = house.brings_all()["id"]
    [command] = house.sent()
    house.answers(command)
    house.manager.on_change([clerk])
    return clerk


def test_a_change_that_moves_no_counter_and_of_another_process_is_told_too(house: House) -> None:
    clerk = house.brings_all()["id"]
    [command] = house.sent()
    first, second = heard(house, [lambda: house.answers(command)])
    assert first["counts"] == second["counts"] and first["mark"] != second["mark"]
    assert house.saga(clerk).state_of("shopping") == "done"


def test_what_a_slow_follower_has_not_read_does_not_pile_up(house: House) -> None:
    async def piled() -> int:
        stream = house.operations.news.follow()
        await anext(stream)
        for number in range(50):
            house.operations.news.changed([f"clk_{number}_{each}" for each in range(50)])
        [seen] = house.operations.news._followers.values()
        event = await following(stream)
        assert event["more"] is True and len(event["clerks"]) == news.IDS
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        return len(seen)

    assert asyncio.run(piled()) < 2 * news.IDS


def test_more_followers_than_there_is_room_for_come_again_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "MOST", 0)
    with pytest.raises(Problem) as refused:
        house.operations.news.check_room()
    assert (refused.value.known.status, refused.value.code) == (503, "overloaded")

"""What open lists are told: an event at once, one after each change, and no more memory for a slow follower."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import orjson
import pytest
from fastapi.concurrency import run_in_threadpool

from http_api.principals import Principal
from http_api.problems import Problem
from shop_manager.operations import change_notifier
from shop_manager.tests.http_harness import HttpHarness


def heard(harness: HttpHarness, acts: list[Any]) -> list[dict[str, Any]]:
    """The first event, and one after each of the acts."""

    async def listen() -> list[dict[str, Any]]:
        stream = harness.operations.notifier.follow()
        events = [await following(stream)]
        for act in acts:
            await run_in_threadpool(act)
            events.append(await following(stream))
        await stream.aclose()
        return events

    harness.operations.notifier.every = 0.01
    return asyncio.run(asyncio.wait_for(listen(), 20))


async def following(stream: Any) -> dict[str, Any]:
    while True:
        message = await anext(stream)
        if message.startswith(b"event: changed"):
            found: dict[str, Any] = orjson.loads(message.split(b"data: ", 1)[1])
            return found


def test_a_change_of_this_process_is_told_with_its_clerk_and_the_counters(harness: HttpHarness) -> None:
    clerks: list[str] = []
    first, second = heard(harness, [lambda: clerks.append(move_one(harness))])
    assert (first["counts"]["processing"], first["clerks"]) == (0, [])
    assert second["mark"] != first["mark"]
    assert harness.operations.notifier._followers == {}


def move_one(harness: HttpHarness) -> str:
    clerk: str = harness.brings_all()["id"]
    [command] = harness.sent()
    harness.answers(command)
    harness.manager.on_change({clerk: harness.saga(clerk)})
    return clerk


def test_a_change_that_moves_no_counter_and_of_another_process_is_told_too(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    [command] = harness.sent()
    first, second = heard(harness, [lambda: harness.answers(command)])
    assert first["counts"] == second["counts"] and first["mark"] != second["mark"]
    assert harness.saga(clerk).state_of("shopping") == "done"


def test_what_a_slow_follower_has_not_read_does_not_pile_up(harness: HttpHarness) -> None:
    async def piled() -> int:
        stream = harness.operations.notifier.follow()
        await anext(stream)
        for number in range(50):
            harness.operations.notifier.changed([f"clk_{number}_{each}" for each in range(50)])
        [seen] = harness.operations.notifier._followers.values()
        event = await following(stream)
        assert event["more"] is True and len(event["clerks"]) == change_notifier.IDS
        await stream.aclose()
        return len(seen)

    assert asyncio.run(piled()) < 2 * change_notifier.IDS


NIGHT, DAY = (Principal("operator", "viewer", name, key_id=name) for name in ("night", "day"))


def test_S4_more_followers_than_there_is_room_for_come_again_later(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_notifier, "MOST", 1)
    notifier = harness.operations.notifier
    with notifier.place(NIGHT), pytest.raises(Problem) as refused, notifier.place(DAY):
        pass
    assert (refused.value.known.status, refused.value.code) == (503, "overloaded")


def test_S4_one_operators_scripts_leave_room_for_the_others(harness: HttpHarness) -> None:
    notifier = harness.operations.notifier
    with ExitStack() as held:
        for _ in range(20):
            held.enter_context(notifier.place(NIGHT))
        with pytest.raises(Problem) as refused, notifier.place(NIGHT):
            pass
        assert (refused.value.known.status, refused.value.code) == (429, "too_many_requests")
        with notifier.place(DAY):
            pass
    with notifier.place(NIGHT):
        pass

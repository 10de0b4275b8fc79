"""Group commit: what comes while something is done is done together after it; nobody waits for others to come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from threading import Event

import pytest

from http_api.together import Together
from messaging.database_limits import hurries

LIMIT = 5.0


class Act:
    """Doubles numbers, but not those that are odd. The first call goes on when `goes_on` is set."""

    def __init__(self, goes_on: Event) -> None:
        self.goes_on = goes_on
        self.calls: list[list[int]] = []
        self.hurried = False
        self.broken = False

    def __call__(self, asked: Sequence[int]) -> Sequence[int | Exception]:
        self.calls.append(list(asked))
        self.hurried = hurries()
        assert self.goes_on.wait(LIMIT)
        if self.broken:
            raise ConnectionError
        return [2 * number if number % 2 == 0 else ValueError(number) for number in asked]


async def asked_while_the_first_is_done(act: Act, numbers: Sequence[int], most: int = 50) -> list[int | BaseException]:
    """What each was given, the first included; the others come while the first is done."""
    together: Together[int, int] = Together(act, most)
    first = asyncio.create_task(together.ask(0))
    while not act.calls:
        await turn_of_the_loop()
    others = [asyncio.create_task(together.ask(number)) for number in numbers]
    await turn_of_the_loop()  # each of them has begun
    act.goes_on.set()
    return await asyncio.wait_for(asyncio.gather(first, *others, return_exceptions=True), LIMIT)


def turn_of_the_loop() -> Awaitable[object]:
    return asyncio.to_thread(lambda: None)


def test_who_comes_alone_waits_for_nobody() -> None:
    act = Act(Event())
    act.goes_on.set()

    async def twice() -> list[int]:
        together: Together[int, int] = Together(act)
        return [await together.ask(2), await together.ask(4)]

    assert asyncio.run(twice()) == [4, 8]
    assert act.calls == [[2], [4]] and act.hurried


def test_what_comes_meanwhile_is_done_at_once_and_a_failure_is_only_its_own() -> None:
    act = Act(Event())
    zero, two, odd, six = asyncio.run(asked_while_the_first_is_done(act, [2, 3, 6]))
    assert act.calls == [[0], [2, 3, 6]]
    assert (zero, two, six) == (0, 4, 12) and isinstance(odd, ValueError)


def test_so_many_at_once_and_no_more() -> None:
    act = Act(Event())
    assert asyncio.run(asked_while_the_first_is_done(act, [2, 4, 6, 8, 10], most=2)) == [0, 4, 8, 12, 16, 20]
    assert act.calls == [[0], [2, 4], [6, 8], [10]]


def test_what_holds_for_all_is_told_to_those_who_wait_too_and_the_next_is_asked_anew() -> None:
    act = Act(Event())
    act.broken = True

    async def all_then_one() -> int:
        told = await asked_while_the_first_is_done(act, [2, 4])
        assert [type(each) for each in told] == [ConnectionError] * 3
        act.broken = False
        return await Together[int, int](act).ask(2)

    assert asyncio.run(all_then_one()) == 4
    assert act.calls == [[0], [2]]


@pytest.mark.parametrize("event_loops", [3])
def test_callers_in_several_event_loops_are_all_answered(event_loops: int) -> None:
    act = Act(Event())
    act.goes_on.set()
    together: Together[int, int] = Together(act)

    async def in_threads() -> list[int]:
        def one(number: int) -> int:
            return asyncio.run(together.ask(number))

        return await asyncio.gather(*(asyncio.to_thread(one, 2 * number) for number in range(event_loops)))

    assert asyncio.run(in_threads()) == [0, 4, 8]

"""Places are shared out fairly: keys have some of their own, and one stranger leaves some to the others (S4, S5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from http_api.bulkhead import Bulkhead, Caller
from http_api.problems import Problem

LIMIT = 10.0
FULL = Problem("service_unavailable", "Full.")
ADA, BOB, EVE = (Caller(name, has_key=False) for name in ("ada", "bob", "eve"))
SHOP, WAREHOUSE = (Caller(name, has_key=True) for name in ("shop", "warehouse"))
NEVER = 3600.0


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), LIMIT))


HELD: list[AsyncExitStack] = []


@pytest.fixture(autouse=True)
def _nothing_is_held_before() -> None:
    HELD.clear()


async def takes(bulkhead: Bulkhead, caller: Caller, count: int) -> AsyncExitStack:
    """So many places at once, until what is returned is closed."""
    HELD.append(held := AsyncExitStack())
    for _ in range(count):
        await held.enter_async_context(bulkhead.place(caller, FULL))
    return held


async def one_turn() -> None:
    """Of the event loop."""


async def settle() -> None:
    """Until everybody who can go on has gone on."""
    for _ in range(10):
        await asyncio.create_task(one_turn())


def test_S4_one_network_has_half_of_the_places_and_all_strangers_three_quarters() -> None:
    async def story() -> None:
        bulkhead = Bulkhead(16, within=0)
        await takes(bulkhead, EVE, 8)
        with pytest.raises(Problem):
            await takes(bulkhead, EVE, 1)
        await takes(bulkhead, ADA, 4)
        with pytest.raises(Problem):
            await takes(bulkhead, BOB, 1)
        await takes(bulkhead, SHOP, 4)
        with pytest.raises(Problem):
            await takes(bulkhead, SHOP, 1)

    run(story)


def test_a_key_may_have_all_places_and_the_smallest_bulkhead_has_one_for_anybody() -> None:
    async def story() -> None:
        await takes(Bulkhead(16, within=0), SHOP, 16)
        for caller in (EVE, SHOP):
            one = Bulkhead(1, within=0)
            await takes(one, caller, 1)
            with pytest.raises(Problem):
                await takes(one, SHOP, 1)

    run(story)


def test_S5_a_place_that_becomes_free_is_for_who_holds_the_fewest() -> None:
    async def story() -> None:
        bulkhead, served = Bulkhead(2, NEVER), list[str]()

        async def comes(caller: Caller) -> None:
            async with bulkhead.place(caller, FULL):
                served.append(caller.name)
                await asyncio.create_task(one_turn())

        held = await takes(bulkhead, SHOP, 2)
        async with asyncio.TaskGroup() as group:
            for caller in (EVE, EVE, EVE, ADA, BOB, WAREHOUSE):
                group.create_task(comes(caller))
                await settle()
            assert served == []
            await held.aclose()
        assert served.index("ada") < 4
        assert served.index("bob") < 4
        assert served[:2] == ["eve", "ada"] or served[:2] == ["eve", "warehouse"]
        assert served[-2:] == ["eve", "eve"]

    run(story)


def test_who_gives_up_or_goes_away_while_it_waits_takes_no_place_along() -> None:
    async def story() -> None:
        bulkhead = Bulkhead(1, within=0.1)
        held = await takes(bulkhead, EVE, 1)
        for caller in (EVE, SHOP):
            with pytest.raises(Problem):
                await takes(bulkhead, caller, 1)
        leaving = asyncio.create_task(takes(bulkhead, SHOP, 1))
        await settle()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await held.aclose()
        for caller in (EVE, SHOP, EVE):
            await (await takes(bulkhead, caller, 1)).aclose()

    run(story)


def test_a_place_that_comes_to_who_has_just_been_cancelled_is_given_on() -> None:
    async def story() -> None:
        bulkhead = Bulkhead(1, NEVER)
        held = await takes(bulkhead, EVE, 1)
        first = asyncio.create_task(takes(bulkhead, ADA, 1))
        second = asyncio.create_task(takes(bulkhead, BOB, 1))
        await settle()
        await held.aclose()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await second

    run(story)

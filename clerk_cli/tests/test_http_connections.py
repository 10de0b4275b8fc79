"""The table of connections: who gets a place, who makes room, and who is told that there is none."""

from __future__ import annotations

import asyncio

import pytest

from clerk_cli.http_connections import LEAVING, LOOK_EVERY, Connections


class Fake:
    """A connection that writes down what is asked of it."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.address = address
        self.asked: list[str] = []
        self.looked_at: list[float] = []

    def give_way(self) -> None:
        self.asked.append("give way")

    def abort(self) -> None:
        self.asked.append("abort")

    def check_time(self, now: float) -> None:
        self.looked_at.append(now)


def admitted(table: Connections, count: int, address: str = "192.0.2.1") -> list[Fake]:
    made = [Fake(address) for _ in range(count)]
    assert all(table.admit(each) for each in made)
    return made


def test_S4_there_are_so_many_places_and_a_closed_connection_frees_its_own() -> None:
    table = Connections(3, shared=False)
    first, *_ = admitted(table, 3)
    assert not table.admit(Fake())
    table.forget(first)
    table.forget(first)
    assert table.admit(Fake())
    assert len(table) == 3


def test_S4_who_only_waits_makes_room_the_longest_waiting_first() -> None:
    table = Connections(3, shared=False)
    one, two, three = admitted(table, 3)
    for each in (two, one, three):
        table.waits(each)
    table.works(three)
    admitted(table, 2)
    assert (two.asked, one.asked, three.asked) == (["give way"], ["give way"], [])
    assert not table.admit(Fake())


def test_S4_one_address_never_has_all_places() -> None:
    table = Connections(8)
    greedy = admitted(table, 6)
    assert not table.admit(Fake())
    admitted(table, 2, "192.0.2.2")
    table.waits(greedy[3])
    assert table.admit(Fake()), "it may have the place of one of its own that only waits"
    assert greedy[3].asked == ["give way"]


def test_behind_a_proxy_one_address_is_everybodys() -> None:
    table = Connections(8, shared=False)
    admitted(table, 8)


def test_S4_the_refused_are_few_too_and_the_oldest_goes_first() -> None:
    table = Connections(1)
    [placed] = admitted(table, 1)
    table.leaves(placed)
    refused = [Fake() for _ in range(LEAVING)]
    for each in refused:
        table.leaves(each)
    assert placed.asked == ["abort"]
    assert all(each.asked == [] for each in refused)
    assert len(table) == 0


def test_every_open_connection_is_asked_for_its_time_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clerk_cli.http_connections.LOOK_EVERY", LOOK_EVERY / 50)

    async def looked_at_twice() -> None:
        table = Connections(3)
        [placed], leaving = admitted(table, 1), Fake()
        table.leaves(leaving)
        table.keep_time(asyncio.get_running_loop())
        async with asyncio.timeout(20):
            while len(placed.looked_at) < 2 or len(leaving.looked_at) < 2:
                await asyncio.get_running_loop().run_in_executor(None, lambda: None)

    asyncio.run(looked_at_twice())

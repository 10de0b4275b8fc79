"""The short wait for a cart that is on its way."""

from __future__ import annotations

from collections.abc import Callable

from messaging.database import Database
from shop_service.entrance import Entrance
from shop_service.tests.commands import answers, hash_of, starts


class Pauses:
    """Sleeps without time: counts the pauses, and does something at the third."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.at_the_third: Callable[[], object] = list

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == 3:
            self.at_the_third()


def own(secret: str) -> bool:
    return secret == hash_of("clk_1")


def test_who_has_a_cart_comes_in_without_a_pause(database: Database) -> None:
    answers(database, starts("clk_1"))
    pauses = Pauses()
    assert Entrance(database, limit=2, most=8, sleep=pauses).admits("clk_1", own)
    assert pauses.taken == []


def test_a_cart_that_comes_a_moment_later_is_waited_for(database: Database) -> None:
    pauses = Pauses()
    pauses.at_the_third = lambda: answers(database, starts("clk_1"))
    assert Entrance(database, limit=2, most=8, sleep=pauses).admits("clk_1", own)
    assert len(pauses.taken) == 3


def test_the_wait_is_as_long_for_a_foreign_cart_as_for_one_that_is_not_there(database: Database) -> None:
    answers(database, starts("clk_2"))
    waits: list[list[float]] = []
    for session in ("clk_2", "clk_3"):
        pauses = Pauses()
        assert not Entrance(database, limit=2, most=8, sleep=pauses).admits(session, own)
        waits.append(pauses.taken)
    assert waits[0] == waits[1]
    assert sum(waits[0]) == 2


def test_only_so_many_wait_at_once_and_a_place_is_free_again_afterwards(database: Database) -> None:
    pauses = Pauses()
    entrance = Entrance(database, limit=2, most=1, sleep=pauses)
    inner: list[bool] = []
    before = len(pauses.taken)

    def second_caller() -> None:
        count = len(pauses.taken)
        inner.append(entrance.admits("clk_3", own))
        assert len(pauses.taken) == count, "the second caller did not wait"

    pauses.at_the_third = second_caller
    assert not entrance.admits("clk_3", own)
    assert inner == [False]
    assert len(pauses.taken) > before
    pauses.taken.clear()
    pauses.at_the_third = list
    assert not entrance.admits("clk_3", own)
    assert sum(pauses.taken) == 2

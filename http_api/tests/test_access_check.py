"""The short wait for something that is on its way to a session, and who gets it (security S1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from http_api.access_check import KEY, AccessCheck, BoundedWait


@dataclass(frozen=True)
class Cart:
    secret_sha256: str


class Pauses:
    """Pauses that take no time: they are counted, move a clock on, and the third one does something."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.now = 0.0
        self.at_the_third: Callable[[], object] = list
        self.during: Callable[[], object] = list

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds
        self.during()
        if len(self.taken) == 3:
            self.at_the_third()


Carts = dict[str, Cart]


def access_check(carts: Carts, pauses: Pauses, places: int = 8) -> AccessCheck[Cart]:
    return AccessCheck(carts.get, BoundedWait(places, pauses=lambda: pauses, clock=lambda: pauses.now), 2)


def own(secret: str) -> bool:
    return secret == "mine"


def test_who_has_a_cart_gets_it_without_a_pause() -> None:
    pauses = Pauses()
    assert access_check({"clk_1": Cart("mine")}, pauses).find("clk_1", own) == Cart("mine")
    assert pauses.taken == []


def test_a_cart_that_comes_a_moment_later_is_waited_for() -> None:
    pauses, carts = Pauses(), Carts()
    pauses.at_the_third = lambda: carts.update(clk_1=Cart("mine"))
    assert access_check(carts, pauses).find("clk_1", own) == Cart("mine")
    assert len(pauses.taken) == 3


def test_S1_the_wait_is_as_long_for_a_foreign_cart_as_for_one_that_is_not_there() -> None:
    waits: list[list[float]] = []
    for session in ("clk_2", "clk_3"):
        pauses = Pauses()
        assert access_check({"clk_2": Cart("theirs")}, pauses).find(session, own) is None
        waits.append(pauses.taken)
    assert waits[0] == waits[1]
    assert sum(waits[0]) == 2


def test_only_so_many_wait_at_once_and_a_place_is_free_again_afterwards() -> None:
    pauses = Pauses()
    access = access_check({}, pauses, places=1)
    second: list[Cart | None] = []

    def second_client() -> None:
        count = len(pauses.taken)
        second.append(access.find("clk_3", own))
        assert len(pauses.taken) == count, "the second client did not wait"

    pauses.at_the_third = second_client
    assert access.find("clk_3", own) is None
    assert second == [None]
    assert len(pauses.taken) > 3
    pauses.taken.clear()
    pauses.at_the_third = list
    pauses.now = 0.0
    assert access.find("clk_3", own) is None
    assert sum(pauses.taken) == 2


def test_S4_one_network_has_a_quarter_of_the_places_and_access_keys_all_that_are_free() -> None:
    pauses = Pauses()
    access = access_check({}, pauses, places=8)
    coming = ["home", "home", "home", "elsewhere", KEY, KEY, KEY, KEY, "elsewhere", "elsewhere", KEY, "home"]
    waited: list[tuple[str, bool]] = []

    def they_come() -> None:
        """Each while all that came before and found a place still wait."""
        while coming:
            network, count = coming.pop(0), len(pauses.taken)
            assert access.find("clk_3", own, network) is None
            waited.append((network, len(pauses.taken) > count))

    pauses.during = they_come
    they_come()
    found = Counter(waited)
    assert (found["home", True], found["elsewhere", True], found[KEY, True]) == (2, 2, 4)
    assert (found["home", False], found["elsewhere", False], found[KEY, False]) == (2, 1, 1)
    assert access.find("clk_3", own, "home") is None and len(access._wait._held) == 0

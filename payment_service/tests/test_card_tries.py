"""Declined cards by address and network (security S5)."""

from __future__ import annotations

import pytest

from http_api.request import Origin
from payment_service.card_tries import NETWORK_FACTOR, CardTries
from payment_service.provider import CallOutcome, ProviderAnswer

HOME = Origin("198.51.100.7", "198.51.100.7")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(key: str, outcome: CallOutcome) -> ProviderAnswer:
    return ProviderAnswer(key, outcome, reason="")


def test_S5_after_the_bound_one_card_may_be_tried_each_time_its_part_of_the_hour_is_over() -> None:
    clock = Clock()
    tries = CardTries(4, clock)
    assert [tries.take(str(number), HOME) for number in range(5)] == [0, 0, 0, 0, 900]
    assert tries.take("elsewhere", Origin("198.51.100.8", "198.51.100.8")) == 0
    clock.now += 900
    assert [tries.take("5", HOME), tries.take("6", HOME)] == [0, 900]


@pytest.mark.parametrize(("outcome", "wait"), [("approved", 0), ("declined", 3600), ("no_answer", 3600)])
def test_S5_only_an_approved_card_is_not_counted(outcome: CallOutcome, wait: int) -> None:
    tries = CardTries(1, Clock())
    assert tries.take("1", HOME) == 0
    tries.answered([answer("1", outcome), answer("unknown", "approved")])
    assert tries.take("2", HOME) == wait


def test_S5_an_answer_that_comes_late_or_twice_gives_one_place_back() -> None:
    tries = CardTries(2, Clock())
    assert [tries.take(key, HOME) for key in "12"] == [0, 0]
    tries.answered([answer("1", "no_answer")])
    tries.answered([answer("1", "approved"), answer("1", "approved")])
    assert [tries.take(key, HOME) for key in "34"] == [0, 1800]


def test_S5_the_addresses_of_a_network_have_a_bound_together_and_what_it_refuses_counts_for_no_address() -> None:
    tries = CardTries(1, Clock())
    addresses = [Origin(f"2001:db8:0:{number}::/64", "2001:db8::/48") for number in range(NETWORK_FACTOR + 1)]
    *taken, refused = [tries.take(origin.address, origin) for origin in addresses]
    assert taken == [0] * NETWORK_FACTOR and refused == 900
    tries.answered([answer(addresses[0].address, "approved")])
    assert tries.take("again", addresses[-1]) == 0

"""When something is told of a cause: once it has been there a while, when it has doubled, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from domain.times import minutes, seconds
from shop_manager.alerts.rules import AlertRules, CauseKey, KnownCause, Word, look

NOON = 1_764_000_000_000
RULES = AlertRules(wait=seconds(60), quiet=minutes(15), growth=2)
CAPTURE = CauseKey("standard/1", "capture", "no_answer", "timeout")
CREDIT = CauseKey("standard/1", "credit", "unsupported", "unsupported")


class Looking:
    """Looks now and then, as a ShopManager does; keeps what is known."""

    def __init__(self) -> None:
        self.known: dict[CauseKey, KnownCause] = {}
        self.now = NOON

    def finds(self, found: Mapping[CauseKey, int], after: int = 0) -> list[tuple[str, int, int]]:
        """What is told by a look that many ms later: (what, stuck, before)."""
        return [(word.what, word.stuck, word.before) for word in self.words(found, after)]

    def words(self, found: Mapping[CauseKey, int], after: int = 0) -> list[Word]:
        self.now += after
        looked = look(self.known, found, self.now, RULES)
        self.known |= looked.changed
        for cause in looked.forgotten:
            del self.known[cause]
        return looked.words


def test_many_that_get_stuck_within_a_minute_are_one_alert() -> None:
    shop = Looking()
    assert [shop.finds({CAPTURE: count}, seconds(10)) for count in (1, 4, 9, 17, 25, 29)] == [[]] * 6
    assert shop.finds({CAPTURE: 30}, seconds(10)) == [("stuck", 30, 0)]
    assert shop.finds({CAPTURE: 30}, minutes(60)) == []


def test_each_cause_is_told_by_itself() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 3, CREDIT: 1})
    assert sorted(shop.finds({CAPTURE: 3, CREDIT: 1}, seconds(60))) == [("stuck", 1, 0), ("stuck", 3, 0)]


def test_what_goes_away_within_the_wait_is_never_told() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 1})
    assert shop.finds({}, seconds(59)) == []
    assert shop.finds({}, seconds(60)) == []
    assert shop.known == {}


def test_growth_is_told_when_it_has_doubled_and_the_quiet_time_is_over() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 30})
    shop.finds({CAPTURE: 30}, seconds(60))
    assert shop.finds({CAPTURE: 500}, minutes(15) - 1) == []
    assert shop.finds({CAPTURE: 59}, 1) == []
    assert shop.finds({CAPTURE: 60}, seconds(1)) == [("grown", 60, 30)]
    assert shop.finds({CAPTURE: 119}, minutes(15)) == []
    assert shop.finds({CAPTURE: 120}, 0) == [("grown", 120, 60)]


def test_it_is_over_once_it_has_been_gone_for_the_wait_and_that_is_told_once() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 30})
    first = shop.words({CAPTURE: 30}, seconds(60))[0]
    assert shop.finds({}, minutes(20)) == []
    assert shop.finds({}, seconds(59)) == []
    [over] = shop.words({}, seconds(1))
    assert (over.what, over.stuck, over.before, over.episode) == ("over", 0, 30, first.id)
    assert shop.finds({}, seconds(1)) == []
    assert shop.known == {}


def test_one_that_is_asked_again_and_sticks_again_is_not_over() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 2})
    shop.finds({CAPTURE: 2}, seconds(60))
    for _ in range(10):
        assert shop.finds({}, minutes(5)) == []
        assert shop.finds({CAPTURE: 2}, seconds(59)) == []


def test_one_that_comes_and_goes_before_its_first_word_is_told_all_the_same() -> None:
    shop = Looking()
    assert shop.finds({CAPTURE: 2}) == []
    assert shop.finds({}, seconds(20)) == []
    assert shop.finds({CAPTURE: 2}, seconds(20)) == []
    assert shop.finds({CAPTURE: 2}, seconds(20)) == [("stuck", 2, 0)]


def test_what_comes_back_within_the_quiet_time_is_told_when_that_is_over() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 2})
    shop.finds({CAPTURE: 2}, seconds(60))
    shop.finds({}, minutes(1))
    assert shop.finds({}, minutes(1)) == [("over", 0, 2)]
    assert shop.finds({CAPTURE: 3}, minutes(5)) == []
    assert shop.finds({CAPTURE: 3}, minutes(7)) == []
    assert shop.finds({CAPTURE: 3}, minutes(1)) == [("stuck", 3, 0)]


def test_a_new_episode_waits_anew() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 2})
    first = shop.words({CAPTURE: 2}, seconds(60))[0]
    shop.finds({}, seconds(1))
    shop.finds({}, minutes(2))
    shop.finds({}, minutes(60))
    assert shop.finds({CAPTURE: 1}, minutes(1)) == []
    second = shop.words({CAPTURE: 1}, seconds(60))[0]
    assert (first.what, second.what) == ("stuck", "stuck")
    assert first.id != second.id and second.episode == second.id


@pytest.mark.parametrize("looks", [1, 3])
def test_two_looks_at_the_same_moment_tell_the_same_alert(looks: int) -> None:
    known = {CAPTURE: KnownCause(NOON)}
    told = [look(known, {CAPTURE: 5}, NOON + minutes(2), RULES).words for _ in range(looks)]
    assert {word.id for words in told for word in words} == {told[0][0].id}


def test_a_look_that_finds_nothing_new_writes_nothing() -> None:
    shop = Looking()
    shop.finds({CAPTURE: 2})
    shop.finds({CAPTURE: 2}, seconds(60))
    assert look(shop.known, {CAPTURE: 3}, shop.now + 1, RULES).is_nothing

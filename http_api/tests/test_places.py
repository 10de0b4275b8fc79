"""Places of calls that wait: bounded by name, all or none, and free again (security S4)."""

from __future__ import annotations

import pytest

from http_api.places import Bound, Places
from http_api.problems import Problem

MINE, YOURS = Bound("mine", 2, "Two are mine."), Bound("yours", 2, "Two are yours.")
ALL = Bound("all", 3, "Three in all.", "overloaded")


def test_S4_each_name_has_its_own_places_and_the_one_too_many_is_told_when_to_come_again() -> None:
    places = Places()
    with places.held([MINE, ALL]), places.held([MINE, ALL]):
        with pytest.raises(Problem) as refused, places.held([MINE, ALL]):
            pass
        assert (refused.value.code, refused.value.detail) == ("too_many_requests", "Two are mine.")
        assert refused.value.headers["Retry-After"] == "5"
        with places.held([YOURS, ALL]), pytest.raises(Problem) as full, places.held([YOURS, ALL]):
            pass
        assert (full.value.code, full.value.known.status) == ("overloaded", 503)


def test_S4_a_place_is_free_again_whatever_happened_and_nothing_is_remembered() -> None:
    places = Places()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), places.held([MINE, ALL]):
            raise ZeroDivisionError
    with places.held([MINE, ALL]), places.held([MINE, ALL]), pytest.raises(Problem), places.held([YOURS, MINE, ALL]):
        pass
    assert len(places) == 0

"""The places that are found all at once are those that one would find one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_api.card_brands import LENGTHS_BY_START, LONGEST, SHORTEST
from http_api.card_places import A_LETTER, BLANK, DASH, DOT, EDGE, OTHER, PLUS, TWO, Glued, places, rows, starts

SHAPES: dict[int, Sequence[Sequence[int]]] = {16: [(4, 4, 4, 4)], 15: [(4, 6, 5)], 14: [(4, 6, 4)]}
TEXTS = st.text("4455230 -.,+x\x1f\x7f", max_size=60)


def one_by_one(lanes: bytes, glued: Glued) -> Iterator[tuple[int, int]]:
    """(length, start) of every place."""
    for length in range(SHORTEST, LONGEST + 1):
        for start in range(len(lanes) - length):
            inside = lanes[start : start + length]
            if all(lane & 0x0F < 10 for lane in inside) and _fits(lanes, start, length, glued):
                yield length, start


def _fits(lanes: bytes, start: int, length: int, glued: Glued) -> bool:
    pair = (lanes[start] & 0x0F) * 10 + (lanes[start + 1] & 0x0F)
    if not LENGTHS_BY_START[pair] >> length - SHORTEST & 1:
        return False
    marked = [place for place in range(length + 1) if lanes[start + place] > 0x0F]
    if {0, length} <= set(marked):
        return True
    if glued == "nowhere" or length not in SHAPES:
        return False
    within = [place for place in marked if 0 < place < length]
    if glued == "behind":
        return not within and 0 in marked
    cuts = [[sum(shape[:count]) for count in range(1, len(shape))] for shape in SHAPES[length]]
    return not within or within in cuts


@given(TEXTS, st.sampled_from(["anywhere", "behind", "nowhere"]))
def test_all_places_are_found_at_once(text: str, glued: Glued) -> None:
    lanes = rows(text.encode())
    found = places(lanes, LENGTHS_BY_START, SHAPES, glued)
    each = [(length, count, list(starts(flags))) for length, count, flags in found]
    assert [(length, start) for length, _, begins in each for start in begins] == list(one_by_one(lanes, glued))
    assert [count for _, count, _ in each] == [len(begins) for _, _, begins in each]


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("45", [0]),
        ("4 5", [BLANK]),
        ("4-5", [DASH]),
        ("4.5", [DOT]),
        ("4,5", [OTHER]),
        ("4+5", [PLUS]),
        ("4 - 5", [BLANK + TWO]),
        ("4, 5", [BLANK + TWO]),
        ("4 , -5", [DASH + TWO]),
        ("4\x7f5", [0]),
        ("4\x7f-\x7f5", [DASH]),
        ("4x5", [A_LETTER, A_LETTER]),
        ("4 x5", [A_LETTER + TWO, A_LETTER + TWO]),
        ("4x 5", [A_LETTER, BLANK + TWO]),
    ],
)
def test_each_digit_says_what_stands_before_it(text: str, before: list[int]) -> None:
    lanes = rows(text.encode())
    assert [lane >> 4 for lane in lanes[2:-1]] == before


@pytest.mark.parametrize(("between", "digits"), [("    ", 2), (" -/-", 2), ("     ", 1), (" - - ", 1), (EDGE, 1)])
def test_more_than_four_separators_part_two_numbers(between: str, digits: int) -> None:
    lanes = rows(f"4{between}5".encode())
    row = lanes[1:].partition(bytes([next(lane for lane in lanes[1:] if lane & 0x0F > 9)]))[0]
    assert len(row) == digits


@given(TEXTS)
def test_nothing_is_lost_but_separators(text: str) -> None:
    lanes = rows(text.encode())
    assert [lane & 0x0F for lane in lanes if lane & 0x0F < 10] == [int(each) for each in text if each.isdigit()]

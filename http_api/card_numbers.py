"""Does a text contain a payment card's number? Pure (security S12).

A card number is 13 to 19 digits that satisfy Luhn's check and begin like a real card of that length. There are two
rules: `find_card_number` for texts where somebody could have typed one, `is_card_number` for identifiers, which are
often as long as a card's number and are none. Which field is which: `http_api/card_fields.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from http_api.card_brands import LENGTHS_BY_START, LONGEST, SHORTEST, begins_like_a_card, usual_length
from http_api.card_places import A_LETTER, EDGE, PLUS, TWO, Glued, places, rows, starts
from http_api.number_schemes import is_of_another_scheme
from http_api.plain_digits import readings

# How people group the digits of a card.
_GROUPINGS: frozenset[tuple[int, ...]] = frozenset(
    [(4,) * (count // 4) + ((count % 4,) if count % 4 else ()) for count in range(13, 20)]
    + [(2,) * 8, (8, 8), (4, 6, 5), (4, 6, 4), (4, 5, 6), (4, 4, 5), (6, 13), (6, 10)]
)
_SHAPES: dict[int, Sequence[Sequence[int]]] = {16: [(4, 4, 4, 4)], 15: [(4, 6, 5)], 14: [(4, 6, 4)]}
"""Groupings that are found even where more digits are glued to the first or the last group."""
_MOST_GROUPS = 6
"""In any other grouping; from there on it is a list of numbers."""

_MOST_PLACES = 400
"""Where so many numbers of one length begin like a card's, one of ten is one: no need to look. Not so of identifiers:
500 German articles all begin with a 4."""
_MOST_LOOKALIKES = 200
"""More that satisfy Luhn's check, and that only a detail speaks for, are not looked at one by one."""
_LONGEST_WITH_IDS = 20 * 1024
"""Bytes of texts in which ids in hexadecimal are told from card numbers: 8 KiB of metadata, as much of an address."""
# Ids in hexadecimal happen to hold long runs of digits: UUIDs, a Clerk's own, and tokens of 24 hex digits or more with
# letters among them (hashes, trace ids).
_HEX_IDS = re.compile(
    rb"(?<![0-9A-Za-z])(?:clk_[0-9a-f]{32}"
    rb"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    rb"|(?=(?:[0-9]*+[a-f]){4})[0-9a-f]{24,}+|(?=(?:[0-9]*+[A-F]){4})[0-9A-F]{24,}+"
    rb")(?![0-9A-Za-z])"
)
_DIGITS = bytes(b"0123456789"[code & 0x0F] if code & 0x0F < 10 else 0x3F for code in range(256))
_NO_DIGITS = bytes(code for code in range(256) if chr(code) not in "0123456789")
_VALUE = bytes(code & 0x0F for code in range(256))
_DOUBLED = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9, 0, 0, 0, 0, 0, 0)[code & 0x0F] for code in range(256))

Rule = Callable[[bytes, int, int], bool]
"""(lanes of `card_places.rows`, where the number begins, how long it is): is it taken for a card? Luhn has agreed."""


def find_card_number(text: str, glued: Glued = "anywhere") -> bool:
    """True when the text holds a card number anywhere, in any script's digits. Never returns or keeps the number.

    Also one with other digits `glued` to it, in any grouping and percent-encoded.
    """
    return _found(_joined([text]), _could_be_typed, glued)


def is_card_number(identifier: str) -> bool:
    """True when an identifier is a card's number: of exactly its length, between no letters, and no other scheme's.

    The same for a part of it that is set off by blanks or punctuation.
    """
    return any_is_card_number([identifier])


def find_in_any(texts: Iterable[str]) -> bool:
    """`find_card_number` of many texts at once."""
    return _found(_joined(texts), _could_be_typed, "anywhere")


def any_is_card_number(identifiers: Iterable[str]) -> bool:
    """`is_card_number` of many identifiers at once."""
    return _found(_joined(identifiers), _is_exactly_one, "nowhere")


def find_in_numbers(numbers: str) -> bool:
    """`find_card_number` of JSON's numbers in a text: alone, or with other digits glued behind it.

    Not before it: moments in microseconds and random ids of 64 bits hold something like a card in their middle.
    """
    return _found(numbers, _is_alone_or_begins, "behind")


def may_hold_card(raw: bytes) -> bool:
    """A quick look at UTF-8 bytes: False is certain, True means that the decoded text has to be looked at.

    True also for bytes with an escape (`\\u0034`, `\\t`, `%34`) or outside ASCII: they may hide a number.
    """
    unclear = not raw.isascii() or b"\\" in raw or b"%" in raw
    return unclear or _holds_enough_digits(raw)


def _joined(texts: Iterable[str]) -> str:
    """One text, in which nothing goes across from one to the next."""
    each = list(texts)
    together = EDGE.join(each)
    if together.count(EDGE) < len(each):
        return together
    return EDGE.join([text.replace(EDGE, " ") for text in each])


def _holds_enough_digits(text: bytes) -> bool:
    return len(text) >= SHORTEST and len(text.translate(None, _NO_DIGITS)) >= SHORTEST


def _found(text: str, rule: Rule, glued: Glued) -> bool:
    return any(_holds_card(reading, rule, glued) for reading in readings(text))


def _holds_card(text: bytes, rule: Rule, glued: Glued) -> bool:
    if not _holds_enough_digits(text) or not _looks_so(text, rule, glued):
        return False
    if len(text) > _LONGEST_WITH_IDS:
        return True
    without_ids = _HEX_IDS.sub(b"x", text)
    return without_ids == text or _looks_so(without_ids, rule, glued)


def _looks_so(text: bytes, rule: Rule, glued: Glued) -> bool:
    lanes = rows(text)
    lookalikes: list[tuple[int, int]] = []
    for length, count, flags in places(lanes, LENGTHS_BY_START, _SHAPES, glued):
        if glued != "nowhere" and count > _MOST_PLACES:
            return True
        found = list(starts(flags))
        lookalikes += [(start, length) for start in _that_satisfy_luhn(lanes, found, length)]
    return len(lookalikes) > _MOST_LOOKALIKES or any(rule(lanes, *each) for each in lookalikes)


def _that_satisfy_luhn(lanes: bytes, found: list[int], length: int) -> list[int]:
    """Luhn's check of all numbers together, one column of digits after the other."""
    together = b"".join([lanes[start : start + length] for start in found])
    total = 0
    for column in range(length):
        table = _VALUE if (length - column) % 2 else _DOUBLED
        total += int.from_bytes(together[column::length].translate(table), "little")
    sums = total.to_bytes(len(found), "little")
    return [start for start, value in zip(found, sums, strict=True) if value % 10 == 0]


def _could_be_typed(lanes: bytes, start: int, length: int) -> bool:
    """The rule for texts where somebody could have typed a card number."""
    digits = _digits(lanes, start, length)
    if not begins_like_a_card(digits):
        return False
    begins, ends = lanes[start] > 0x0F, lanes[start + length] > 0x0F
    sizes = _group_sizes(lanes, start, length)
    if len(sizes) == 1:
        return not _is_dialled(lanes, start, length) if begins and ends else length == usual_length(digits)
    if sizes in _GROUPINGS:
        return True
    if not (begins and ends):
        return False
    if set(sizes) == {1}:
        return _is_a_whole_row_of_single_digits(lanes, start, length)
    between = {lane >> 4 for lane in lanes[start + 1 : start + length] if lane > 0x0F}
    return length == usual_length(digits) and len(sizes) <= _MOST_GROUPS and len(between) == 1


def _is_exactly_one(lanes: bytes, start: int, length: int) -> bool:
    """The rule for identifiers."""
    digits = _digits(lanes, start, length)
    if not begins_like_a_card(digits) or _touches_letters(lanes, start, length) or is_of_another_scheme(digits):
        return False
    sizes = _group_sizes(lanes, start, length)
    if len(sizes) == 1:
        return not _is_dialled(lanes, start, length)
    return sizes in _GROUPINGS and not is_of_another_scheme(_whole_row(lanes, start))


def _is_alone_or_begins(lanes: bytes, start: int, length: int) -> bool:
    """The rule for numbers in JSON."""
    digits = _digits(lanes, start, length)
    alone = lanes[start + length] > 0x0F
    return begins_like_a_card(digits) and (alone or length == usual_length(digits))


def _digits(lanes: bytes, start: int, length: int) -> str:
    return lanes[start : start + length].translate(_DIGITS).decode()


def _group_sizes(lanes: bytes, start: int, length: int) -> tuple[int, ...]:
    ends = [place for place in range(1, length) if lanes[start + place] > 0x0F]
    return tuple(end - begin for begin, end in zip([0, *ends], [*ends, length], strict=True))


def _is_dialled(lanes: bytes, start: int, length: int) -> bool:
    """`+49…` with 13 digits is a telephone number; there are none with 14 or more that begin like a card."""
    return length == SHORTEST and lanes[start] >> 4 == PLUS


def _is_a_whole_row_of_single_digits(lanes: bytes, start: int, length: int) -> bool:
    """Every digit apart: taken only as a whole, or each list of figures would be a card."""
    single_before = lanes[start - 1] & 0x0F < 10 and lanes[start - 1] > 0x0F
    after, next_after = lanes[start + length], lanes[start + length + 1 :][:1]
    single_after = after & 0x0F < 10 and next_after > b"\x0f"
    return not single_before and not single_after


def _touches_letters(lanes: bytes, start: int, length: int) -> bool:
    return lanes[start] >> 4 & ~TWO == A_LETTER or lanes[start + length] == A_LETTER << 4 | 0x0F


def _whole_row(lanes: bytes, place: int) -> str:
    """The digits of the row, as far as they could be a longer number."""
    first, last = place, place
    while place - first < 2 * LONGEST and lanes[first - 1] & 0x0F < 10:
        first -= 1
    while last - first < 2 * LONGEST and lanes[last] & 0x0F < 10:
        last += 1
    return _digits(lanes, first, last - first)

"""Where in a text a card number could stand: found for all places at once, in time that grows with the length. Pure.

A loop over 64 KiB is too slow for Python. Here a text is one large whole number with a byte, a *lane*, for each
character, and one operation on it looks at all places: `lanes >> 8 * 4` has in each lane what stands four places
further right. `rows` gives such lanes without the separators: digits with a note of what stood before them.

    4242 4242x1   →   edge  ␣4 2 4 2  ␣4 2 4 2  letter  x1  edge
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from http_api.card_brands import LONGEST, SHORTEST

EDGE = "\x1f"
"""Between two texts that are looked through together: no number goes across it."""
BLANK, DASH, DOT, OTHER, PLUS, AN_EDGE, A_LETTER = range(1, 8)
"""What stood directly before a digit; 0: another digit."""
TWO = 8
"""Added to it when it was not the only one between the digits. A letter or edge has it when one stands before it."""
MOST_SEPARATORS = 4
"""More of them between two digits, and the digits do not belong together."""
_SEPARATOR, _BREAK = 0x0E, 0x0F  # in the low half of a lane, beside the digits 0 to 9
Glued = Literal["anywhere", "behind", "nowhere"]
"""Where more digits may be glued to a card number, as its security code and its expiry: see `places`."""


def _lane_of(code: int) -> int:
    character = chr(code)
    if character in "0123456789":
        return int(character)
    if character == EDGE:
        return AN_EDGE << 4 | _BREAK
    if character.isalpha() or character == "?" or code > 127:
        return A_LETTER << 4 | _BREAK
    kind = {"-": DASH, "_": DASH, ".": DOT, "+": PLUS}.get(character, BLANK if code <= 32 else OTHER)
    return kind << 4 | _SEPARATOR


_LANES = bytes(_lane_of(code) for code in range(256))
_INVISIBLE = b"\x7f"
_SEPARATORS = bytes(code for code in range(256) if code & 0x0F == _SEPARATOR)
_MARKED = bytes(0xFF if code > 0x0F else 0 for code in range(256))
_BROKEN = bytes(0xFF if code & 0x0F == _BREAK else 0 for code in range(256))


@dataclass(frozen=True)
class _Masks:
    """The same byte in every lane."""

    low: int
    kind: int
    bit_3: int
    of_length: Sequence[int]


@lru_cache(maxsize=24)
def _masks_for(bits: int) -> _Masks:
    ones = int.from_bytes(b"\x01" * (1 << bits), "little")
    bit_by_length = [ones << bit for bit in range(LONGEST - SHORTEST + 1)]
    return _Masks(ones * 0x0F, ones * 0x70, ones * 0x08, bit_by_length)


def _masks(lanes: int) -> _Masks:
    """For at least so many lanes."""
    return _masks_for(lanes.bit_length())


def rows(text: bytes) -> bytes:
    """The lanes of an ASCII text without its separators: digits, and breaks where other things stand.

    A lane's low half is the digit, or 0x0F for a break; its high half says what stood before it, 0 for a digit.
    """
    edge = EDGE.encode()
    lanes = (edge + text + edge).translate(_LANES, _INVISIBLE)
    count, mask = len(lanes), _masks(len(lanes))
    whole = int.from_bytes(lanes, "little")
    gaps = whole & (whole << 1) & mask.bit_3  # of all low halves only 0x0E and 0x0F have the bits 3 and 2
    two = gaps & (gaps << 8)
    too_many = two & (two << 16) & (gaps << 8 * MOST_SEPARATORS)
    if too_many:
        whole |= (too_many >> 3) * _BREAK
    before = (whole & mask.kind) << 8
    more = (two << 12) | (gaps & (whole << 3) & (gaps << 8)) << 4  # TWO, as bit 7 of the lane
    marked = (whole | before | more).to_bytes(count + 2, "little")
    return marked[:count].translate(None, _SEPARATORS)


class _Reach:
    """Answers for every lane: is there one of `marks` among so many lanes, from the `first` behind it on?"""

    def __init__(self, marks: int) -> None:
        self._doubled = [marks]  # among 1, 2, 4, 8, 16 lanes

    def within(self, first: int, count: int) -> int:
        step = count.bit_length() - 1
        while len(self._doubled) <= step:
            self._doubled.append(self._doubled[-1] | self._doubled[-1] >> 8 * (1 << len(self._doubled) - 1))
        found = self._doubled[step]
        return found >> 8 * first | found >> 8 * (first + count - (1 << step))


def places(
    lanes: bytes, lengths_by_start: bytes, shapes: dict[int, Sequence[Sequence[int]]], glued: Glued
) -> Iterator[tuple[int, int, bytes]]:
    """Of each length: how many places there are, and a non-zero byte in each of their lanes.

    `lengths_by_start` has for each two digits (as a number) the lengths of cards that begin so: bit 0 is SHORTEST.
    A place begins and ends where digits begin and end. `glued`: also a part of one long group, of a length that
    `shapes` has, or of groups of which the middle has one of the `shapes` of that length.
    """
    count, mask = len(lanes), _masks(len(lanes))
    digits = int.from_bytes(lanes, "little") & mask.low
    pairs = digits * 10 + (digits >> 8)  # above 99 where one of them is a break
    begins = int.from_bytes(pairs.to_bytes(count + 1, "little").translate(lengths_by_start), "little")
    if not begins:
        return
    marks = int.from_bytes(lanes.translate(_MARKED), "little")
    near = _Reach(marks)
    broken = _Reach(int.from_bytes(lanes.translate(_BROKEN), "little"))
    for length in range(SHORTEST, LONGEST + 1):
        here = begins & mask.of_length[length - SHORTEST]
        if not here:
            continue
        found = here & marks & marks >> 8 * length
        if glued != "nowhere" and length in shapes:
            inside = here ^ (here & near.within(1, length - 1))
            found |= inside if glued == "anywhere" else inside & marks
            if glued == "anywhere":
                for shape in shapes[length]:
                    found |= here & _shaped(marks, near, shape)
        if found:
            found ^= found & broken.within(0, length)
        if found:
            yield length, found.bit_count(), found.to_bytes(count, "little")


def _shaped(marks: int, near: _Reach, shape: Sequence[int]) -> int:
    """Lanes from which groups of these sizes follow; the first and the last may be parts of longer ones."""
    place, found, others = 0, -1, 0
    for size in shape:
        others |= near.within(place + 1, size - 1)
        place += size
        if place < sum(shape):
            found &= marks >> 8 * place
    return found ^ (found & others)


def starts(flags: bytes) -> Iterator[int]:
    """The places of the bytes that are not zero, all of them the same."""
    flag = flags.strip(b"\0")[:1]
    at = flags.find(flag) if flag else -1
    while at >= 0:
        yield at
        at = flags.find(flag, at + 1)

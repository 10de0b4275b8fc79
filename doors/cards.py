"""Does a text hold a payment card's number? Pure (security S12).

A card number is 13 to 19 digits that satisfy Luhn's check and begin like a real card of that length; in one piece, or
in groups as people write them. Ids, moments, phone and order numbers are other things and pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

# (first digits from, to, allowed lengths): what the card networks have given out. Narrow on purpose, so that
# phone numbers and moments (which begin with 1 or 2) are not taken for cards.
_BRANDS: tuple[tuple[str, str, frozenset[int]], ...] = tuple(
    (low, high, frozenset(lengths))
    for low, high, lengths in (
        ("4", "4", (13, 16, 19)),  # Visa
        ("51", "55", (16,)),  # Mastercard
        ("2221", "2720", (16,)),
        ("34", "34", (15,)),  # American Express
        ("37", "37", (15,)),
        ("36", "36", (14, 15, 16, 17, 18, 19)),  # Diners
        ("38", "39", (14, 15, 16, 17, 18, 19)),
        ("300", "305", (14, 15, 16, 17, 18, 19)),
        ("3095", "3095", (14, 15, 16, 17, 18, 19)),
        ("3528", "3589", (16, 17, 18, 19)),  # JCB
        ("6011", "6011", (16, 17, 18, 19)),  # Discover
        ("644", "659", (16, 17, 18, 19)),
        ("62", "62", (16, 17, 18, 19)),  # UnionPay
        ("81", "82", (16, 17, 18, 19)),  # UnionPay, RuPay
        ("60", "60", (16,)),  # RuPay, Hipercard
        ("508", "508", (16,)),
        ("2200", "2204", (16, 17, 18, 19)),  # Mir
        ("9792", "9792", (16,)),  # Troy
        ("637", "639", (16,)),  # InstaPayment
        ("5018", "5020", (13, 14, 15, 16, 17, 18, 19)),  # Maestro
        ("5038", "5038", (13, 14, 15, 16, 17, 18, 19)),
        ("5060", "5061", (13, 14, 15, 16, 17, 18, 19)),  # Verve
        ("56", "58", (13, 14, 15, 16, 17, 18, 19)),
        ("6304", "6304", (13, 14, 15, 16, 17, 18, 19)),
        ("6390", "6390", (13, 14, 15, 16, 17, 18, 19)),
        ("67", "67", (13, 14, 15, 16, 17, 18, 19)),
    )
)

# How people group the digits of a card. Not every grouping: 4-12 or 8-4-4 is a UUID's, 2-4-7 a telephone's.
_GROUPINGS: frozenset[tuple[int, ...]] = frozenset(
    [(4,) * (count // 4) + ((count % 4,) if count % 4 else ()) for count in range(13, 20)]
    + [(2,) * 8, (8, 8), (4, 6, 5), (4, 6, 4), (4, 5, 6), (4, 4, 5), (6, 13), (6, 10)]
)
_BEGUN = frozenset(grouping[:count] for grouping in _GROUPINGS for count in range(1, len(grouping) + 1))

_BETWEEN = r"[\s\-._/]{1,3}"
_MAYBE = re.compile(r"[0-9](?:[\s\-._/]{0,3}[0-9]){12}")
_MAYBE_BYTES = re.compile(rb"[0-9](?:[\s\-._/]{0,3}[0-9]){12}")
_NUMBERS = re.compile(rf"[0-9]+(?:{_BETWEEN}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")

# Ids in hexadecimal happen to hold long runs of digits: UUIDs, and tokens of 24 hex digits or more (`clk_…`, hashes).
_HEX_IDS = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-f]{24,}|[0-9A-F]{24,}"
    r")(?![0-9A-Za-z])"
)
_DOUBLED = str.maketrans("0123456789", "0246813579")  # twice the digit, its two digits added up
_UNSEEN = ("Cf", "Mn")  # soft hyphens, zero-width, direction and combining marks: nobody sees them between two digits


def find_card_number(text: str) -> bool:
    """True when the text holds a card number anywhere, in any script's digits. Never returns or keeps the number."""
    if not text.isascii():
        text = _plain(text)
    if _MAYBE.search(text) is None:
        return False
    readable = _HEX_IDS.sub("#", text)
    return any(
        _is_card(candidate) for numbers in _NUMBERS.finditer(readable) for candidate in _candidates(numbers, readable)
    )


def may_hold_card(raw: bytes) -> bool:
    """A quick look at UTF-8 bytes: False is certain, True means that the decoded text has to be looked at.

    Escapes (`\\u0034`, `\\t`, `%34`, `+` for a blank) and digits outside ASCII hide from it: they count as "perhaps".
    """
    hiding = not raw.isascii() or b"\\" in raw or b"%" in raw or b"+" in raw
    return hiding or _MAYBE_BYTES.search(raw) is not None


def _plain(text: str) -> str:
    """All decimal digits as ASCII, every space as a blank, every dash as a hyphen, unseen marks dropped."""
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", character)
    if len(folded) == 1 and folded.isascii():
        return folded
    kind = unicodedata.category(character)
    if kind == "Pd" or character == "\u2212":  # any dash, and the minus sign
        return "-"
    if kind in _UNSEEN:
        return ""
    return " " if kind.startswith("Z") else "#"


def _candidates(numbers: re.Match[str], text: str) -> Iterator[str]:
    """The digit strings in a row of groups that are written as a card's number would be."""
    groups = _GROUP.findall(numbers.group())
    dialled = text[numbers.start() - 1 : numbers.start()] == "+"
    for place, group in enumerate(groups):
        # `+49…` with 13 digits is a telephone number; there are none with 14 or more that begin like a card.
        if 13 <= len(group) <= 19 and not (dialled and place == 0 and len(group) == 13):
            yield group
        yield from _grouped(groups, place)
    for single, row in groupby(groups, key=lambda group: len(group) == 1):
        if single:
            yield "".join(row)  # every digit apart: taken only as a whole, or each list of figures would be a card


def _grouped(groups: list[str], start: int) -> Iterator[str]:
    shape: tuple[int, ...] = ()
    for end in range(start, len(groups)):
        shape = (*shape, len(groups[end]))
        if shape in _GROUPINGS:
            yield "".join(groups[start : end + 1])
        if shape not in _BEGUN:
            return


def _is_card(digits: str) -> bool:
    return _begins_like_a_card(digits) and _luhn(digits)


def _begins_like_a_card(digits: str) -> bool:
    return any(len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _BRANDS)


def _luhn(digits: str) -> bool:
    single, doubled = digits[-1::-2], digits[-2::-2].translate(_DOUBLED)
    return sum(map(int, single + doubled)) % 10 == 0

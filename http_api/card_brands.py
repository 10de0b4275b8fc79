"""How the numbers of payment cards begin, and how long they are then. Pure (security S12).

To take another network's cards for cards, a line in _BRANDS is enough.
"""

from __future__ import annotations

import re

SHORTEST, LONGEST = 13, 19
"""Digits of a card's number."""
_16_TO_19 = (16, 17, 18, 19)
_13_TO_19 = tuple(range(13, 20))
# (first digits from, to, allowed lengths): the ranges that the card networks use. Narrow on purpose: phone
# numbers and times in milliseconds (which begin with 1 or 2) must not be taken for cards.
_BRANDS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("36", "36", (14, 15, *_16_TO_19)),  # Diners
    ("38", "39", (14, 15, *_16_TO_19)),  # Diners, Hipercard
    ("300", "305", (14, 15, *_16_TO_19)),
    ("3095", "3095", (14, 15, *_16_TO_19)),
    ("3528", "3589", _16_TO_19),  # JCB
    ("1800", "1800", (15,)),
    ("2131", "2131", (15,)),
    ("6011", "6011", _16_TO_19),  # Discover
    ("644", "659", _16_TO_19),  # Discover, Elo
    ("62", "62", _16_TO_19),  # UnionPay, Elo
    ("81", "82", _16_TO_19),  # UnionPay, RuPay
    ("60", "60", (16,)),  # RuPay, Hipercard
    ("50", "50", (16,)),  # Elo, RuPay, Verve, Aura, Maestro
    ("2200", "2205", _16_TO_19),  # Mir, Borica
    ("9792", "9792", (16,)),  # Troy
    ("9704", "9704", (16, 19)),  # Napas
    ("8600", "8600", (16,)),  # Uzcard
    ("9860", "9860", (16,)),  # Humo
    ("9112", "9112", (16,)),  # Belkart
    ("636", "639", (16,)),  # Elo, InstaPayment
    ("5018", "5020", _13_TO_19),  # Maestro
    ("5038", "5038", _13_TO_19),
    ("5060", "5061", _13_TO_19),  # Verve
    ("56", "58", _13_TO_19),
    ("6304", "6304", _13_TO_19),
    ("6390", "6390", _13_TO_19),
    ("67", "67", _13_TO_19),
)
_USUAL = 16
_RARE: tuple[tuple[int, re.Pattern[str]], ...] = ((15, re.compile("34|37|1800|2131")), (14, re.compile("30|36|38|39")))
"""How many digits a card has that does not have the usual number of them, by how it begins."""


def begins_like_a_card(digits: str) -> bool:
    """Are there cards of that many digits that begin so?"""
    return any(len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _BRANDS)


def usual_length(digits: str) -> int:
    """How many digits nearly all cards have that begin so."""
    return next((length for length, beginning in _RARE if beginning.match(digits)), _USUAL)


def _lengths_by_start() -> bytes:
    table = bytearray(256)
    for low, high, lengths in _BRANDS:
        first, last = int(low[:2].ljust(2, "0")), int(high[:2].ljust(2, "9"))
        for start in range(first, last + 1):
            for length in lengths:
                table[start] |= 1 << length - SHORTEST
    return bytes(table)


LENGTHS_BY_START = _lengths_by_start()
"""For each two digits, as a number: the lengths of cards that may begin so, SHORTEST as bit 0."""

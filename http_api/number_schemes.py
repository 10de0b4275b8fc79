"""Numbers that are as long as a card's and are something else: articles, parcels. Pure (security S12).

Only what carries a check digit of its own counts, or what its carrier's name explains: a number that is just long may
be a card.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_GS1_LENGTHS = frozenset({13, 14, 17, 18, 20, 22})
"""EAN-13 and GTIN-13, GTIN-14, a shipment's GSIN, a parcel's SSCC, and postal parcel numbers of 20 and 22 digits.

None of 15, 16 and 19 digits, which nearly all cards have: there a tenth of them would have this check digit too.
"""


def is_of_another_scheme(digits: str) -> bool:
    """True for digits that have GS1's check digit and one of GS1's lengths."""
    return len(digits) in _GS1_LENGTHS and has_gs1_check_digit(digits)


def has_gs1_check_digit(digits: str) -> bool:
    """From the right each second digit counts three times; together they come to a multiple of ten."""
    backwards = [int(digit) for digit in reversed(digits)]
    return (sum(backwards[::2]) + 3 * sum(backwards[1::2])) % 10 == 0


def _any_number(_digits: str) -> bool:
    return True


_CARRIERS: tuple[tuple[str, int, Callable[[str], bool]], ...] = (
    ("fedex", 15, has_gs1_check_digit),
    ("canada post", 16, has_gs1_check_digit),
    ("postes canada", 16, has_gs1_check_digit),
    ("dpd", 14, _any_number),
    ("hermes", 14, _any_number),
    ("seur", 14, _any_number),
    ("delhivery", 13, _any_number),
    ("delhivery", 14, _any_number),
    ("yunda", 13, _any_number),
    ("yunda", 15, _any_number),
)
"""A part of the carrier's name, how long its parcel numbers of digits alone are, and how to check one.

Only those as long as a card's number. 16 digits are never taken without a check digit: most cards have so many.
"""


def is_parcel_number(carrier: str, tracking: str) -> bool:
    """Is it, blanks and hyphens aside, a parcel number as this carrier writes them?"""
    digits = re.sub(r"[ -]", "", tracking)
    name = carrier.casefold()
    return (
        digits.isascii()
        and digits.isdigit()
        and any(known in name and len(digits) == length and fits(digits) for known, length, fits in _CARRIERS)
    )

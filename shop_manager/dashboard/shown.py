"""How values are shown: money, times and whatever somebody typed, so that no text can disguise itself (S10)."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup

from domain.times import from_wire, to_wire
from shop_manager.operations import words
from shop_manager.operations.words import duration

_CAPITALS = re.compile(r"(?=[A-Z])")
_KEPT = "\n\t"
_STEERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(value: object) -> object:
    """What every output of a template goes through: control characters and those that turn the direction are named.

    Markup is our own and stays.
    """
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isalnum():
        return "".join(f"⟨U+{ord(each):04X}⟩" if _acts(each) else each for each in value)
    return value


def _acts(character: str) -> bool:
    return character in _STEERING or (unicodedata.category(character) == "Cc" and character not in _KEPT)


def breakable(name: str) -> Markup:
    """`AuthorizePayment` may be broken before `Payment`, where there is little room."""
    return Markup("<wbr>").join(each for each in _CAPITALS.split(name) if each)


def money(minor_units: int | None, currency: str | None) -> str:
    """2590 EUR → `€25.90`; nothing for None."""
    return "" if minor_units is None else words.money(minor_units, currency or "")


def moneys(amounts: dict[str, int]) -> str:
    """{"EUR": 2590, "CHF": 100} → `€25.90 + 1.00 CHF`; `none` when there is none."""
    return " + ".join(money(amount, currency) for currency, amount in sorted(amounts.items())) or "none"


def moment(value: int | str) -> int:
    """A time in ms, from one or from RFC 3339."""
    return value if isinstance(value, int) else from_wire(value)


def wire(value: int | str) -> str:
    return to_wire(moment(value))


def absolute(value: int | str) -> str:
    """`2026-11-25 03:55:12 UTC`."""
    return f"{wire(value)[:19].replace('T', ' ')} UTC"


def clock(value: int | str) -> str:
    """`03:55:12`, of the same UTC as everything here."""
    return wire(value)[11:19]


def relative(value: int | str, now: int, coming: bool = False) -> str:
    """`3 min ago`, `in 40 s`, `now`; what is `coming` is never over, but now. As `dashboard.js` keeps it up to date."""
    distance = moment(value) - now
    told = duration(abs(distance))
    if told == "0 s" or (coming and distance < 0):
        return "now"
    return f"in {told}" if distance > 0 else f"{told} ago"

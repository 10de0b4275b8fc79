"""Template filters: money, times, and texts that users typed, made safe to show (S10)."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from domain.times import from_wire, minutes, seconds, to_wire
from domain.visible_text import shown
from shop_manager.operations import formats
from shop_manager.operations.formats import duration
from shop_manager.operations.moments import wire_moment

_ABSOLUTE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)")
_CAPITALS = re.compile(r"(?=[A-Z])")


def plain(value: object) -> object:
    """Every output of a template goes through this: a character that nobody sees is shown by its number.

    Markup is our own and stays.
    """
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def breakable(name: str) -> Markup:
    """`AuthorizePayment` gets a possible line break before `Payment`."""
    return Markup("<wbr>").join(each for each in _CAPITALS.split(name) if each)


def money(minor_units: int | None, currency: str | None) -> str:
    """2590 EUR → `€25.90`; nothing for None."""
    return "" if minor_units is None else formats.money(minor_units, currency or "")


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


def with_times(text: str) -> Markup:
    """A sentence of which each moment, as `absolute` writes it, is one that is read in the reader's own time."""
    parts = _ABSOLUTE.split(text)
    times = [_time(part) if index % 2 else escape(plain(part)) for index, part in enumerate(parts)]
    return Markup("").join(times)


def _time(told: str) -> Markup:
    at = f"{told[:10]}T{told[11:19]}.000Z"
    return Markup('<time datetime="{}" title="{}" data-clock>{}</time>').format(at, told, told)


def typable(text: str) -> str:
    """A moment of an address as people type it, `2026-12-01 09:00 UTC`; what is no moment of a whole minute stays."""
    found = wire_moment(text)
    return text if found is None or found % minutes(1) else f"{to_wire(found)[:16].replace('T', ' ')} UTC"


def clock(value: int | str) -> str:
    """`03:55:12`, in UTC."""
    return wire(value)[11:19]


def relative(value: int | str, now: int, coming: bool = False) -> str:
    """`3 min ago`, `in 40 s`, `now`. A `coming` moment that has passed is `now`. dashboard.js writes the same."""
    distance = moment(value) - now
    if abs(distance) < seconds(1) or (coming and distance < 0):
        return "now"
    length = duration(abs(distance))
    return f"in {length}" if distance > 0 else f"{length} ago"

"""Amounts and times as a person at night reads them: `€25.90`, `14 min`; on pages and under `/ops` alike. Pure."""

from __future__ import annotations

from domain.money import decimal
from domain.times import days, hours, minutes, seconds

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_UNITS = ((days(1), "d"), (hours(1), "h"), (minutes(1), "min"), (seconds(1), "s"))


def money(minor_units: int, currency: str) -> str:
    """(2590, "EUR") → `€25.90`; a currency without a sign of its own stands behind: `25.90 SEK`."""
    number = decimal(abs(minor_units), currency, grouped=True)
    minus = "−" if minor_units < 0 else ""
    return f"{minus}{_SIGNS[currency]}{number}" if currency in _SIGNS else f"{minus}{number} {currency}".rstrip()


def duration(length: int) -> str:
    """A length in ms, in its largest unit; the two largest from an hour on: `1 h 5 min`. As `dashboard.js` has it."""
    for place, (size, unit) in enumerate(_UNITS):
        if length >= size:
            rest = length % size
            told = f"{length // size} {unit}"
            following = _UNITS[place + 1 : place + 2] if size >= hours(1) else ()
            return told + "".join(f" {rest // small} {name}" for small, name in following if rest >= small)
    return "0 s"

"""Amounts and times as a person at night reads them: `€25.90`, `14 min`. Pure."""

from __future__ import annotations

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_NO_MINOR_UNIT = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
                            "XAF", "XOF", "XPF"})  # fmt: skip
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def amount(minor_units: int, currency: str) -> str:
    """(2590, "EUR") → `€25.90`; a currency without a sign of its own stands behind: `25.90 SEK`."""
    places = 0 if currency in _NO_MINOR_UNIT else 3 if currency in _THOUSANDTHS else 2
    whole, rest = divmod(abs(minor_units), 10**places)
    number = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    sign = "-" if minor_units < 0 else ""
    return f"{sign}{_SIGNS[currency]}{number}" if currency in _SIGNS else f"{sign}{number} {currency}"


def lasting(milliseconds: int) -> str:
    """The largest unit, and up to two of it the next one too: 840,000 → `14 min`, 5,400,000 → `1 h 30 min`."""
    rest = max(0, milliseconds)
    for index, (length, unit) in enumerate(_UNITS):
        count = rest // length
        if count:
            smaller = _UNITS[index + 1 : index + 2]
            more = (rest % length) // smaller[0][0] if smaller and count <= 2 else 0
            return f"{count} {unit}" + (f" {more} {smaller[0][1]}" if more else "")
    return "0 s"

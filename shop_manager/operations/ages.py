"""How old a Clerk is at least, as operators write it: `90s`, `15m`, `2h`, `1d`."""

from __future__ import annotations

import re

from http_api.problems import invalid

_AGE = re.compile(r"([0-9]{1,9})([smhd]?)")
_NEEDED = "seconds are needed, or a number with a unit: 90s, 15m, 2h, 1d"
_UNIT_MS = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def age_of(text: str | None) -> int | None:
    """`15m` → 900,000 ms; Problem 422 names the parameter `older_than`."""
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise invalid("older_than", _NEEDED)
    return int(match.group(1)) * _UNIT_MS[match.group(2)]


def checked_age(text: str) -> str:
    """The text, if it is an age; ValueError says what is needed."""
    if _AGE.fullmatch(text) is None:
        raise ValueError(_NEEDED)
    return text

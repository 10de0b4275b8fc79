"""The one place where moments and ages are read. Pure.

People write `in 2 hours`, `tomorrow 9:00`, `2026-12-01 09:00` in the zone of their place, and of what is past also
`2 hours ago`, `3h`, `yesterday 9:00`. Machines write RFC 3339, and ages (`90s`, `15m`, `2h`, `1d`), and nothing else.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from domain.times import days, from_wire, hours, minutes, seconds

ALLOWED = "in 30 minutes, in 2 hours, in 3 days, today 18:00, tomorrow 9:00, 2026-12-01 09:00, 2026-12-01 09:00 UTC"
ALLOWED_OF_THE_PAST = "2 hours ago, 3h, yesterday 9:00, today 18:00, 2026-12-01, 2026-12-01 09:00, 2026-12-01 09:00 UTC"
_LENGTHS = {"": seconds(1), "s": seconds(1), "m": minutes(1), "h": hours(1), "d": days(1)}
_LENGTH = r"(?:(\d{1,5})|an?) ?(?:(m)(?:in(?:ute)?)?|(h)(?:our)?|(d)(?:ay)?)s?"
_IN = re.compile(f"in {_LENGTH}")
_AGO = re.compile(f"{_LENGTH} ago")
_AGE = re.compile(r"([0-9]{1,9})([smhd]?)")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_DAY = re.compile(r"(yesterday|today|tomorrow)(?: at)? (\d{1,2})(?::(\d\d))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EXACT = re.compile(r"(\d{4}-\d\d-\d\d)[t ](\d{1,2})(:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(utc|z|[+-]\d\d:\d\d)?")


def zone_of(name: str) -> tzinfo:
    """The zone of that name, as browsers give it. ValueError for one that this machine does not know."""
    try:
        return UTC if name in ("", "UTC") else ZoneInfo(name[:64])
    except (ValueError, OSError, KeyError):
        raise ValueError(f"the time zone {name[:64]!r} is not known here: write 2026-12-01 09:00 UTC") from None


def moment_of(text: str, now: int, zone: str = "", *, past: bool = False) -> int:
    """The moment in ms that somebody means at `now` (ms) in that time zone, which is UTC when it is empty.

    ValueError says what is allowed. Of an hour that a change of the clocks brings twice, the first is meant. `past`:
    it is asked of what has happened, so a length alone is so long ago, and a day alone its beginning.
    """
    wanted = " ".join(text.lower().split())
    if found := _IN.fullmatch(wanted):
        return now + _length(found)
    if past and (found := _AGO.fullmatch(wanted)):
        return now - _length(found)
    if past and (age := age_of(wanted)) is not None:
        return now - age
    try:
        named = _named_moment(wanted + " 0:00" if past and _DATE.fullmatch(wanted) else wanted, now, zone)
    except OverflowError:
        named = None
    if named is None:
        raise ValueError(f"{text[:60]!r} is no moment: allowed are {ALLOWED_OF_THE_PAST if past else ALLOWED}")
    return named


def age_of(text: str) -> int | None:
    """`15m` → 900,000 ms; seconds when no unit is named; None for what is no age."""
    found = _AGE.fullmatch(text)
    return None if found is None else int(found[1]) * _LENGTHS[found[2]]


def wire_moment(text: str) -> int | None:
    """RFC 3339 in ms; None for anything else."""
    try:
        return from_wire(text)
    except (ValueError, OverflowError):
        return None


def _length(found: re.Match[str]) -> int:
    return int(found[1] or 1) * _LENGTHS[found[2] or found[3] or found[4]]


def _named_moment(wanted: str, now: int, zone: str) -> int | None:
    """A day with a time, or a date with one; None for anything else, and for what is in no calendar."""
    day, exact = _DAY.fullmatch(wanted), _EXACT.fullmatch(wanted)
    if not day and not exact:
        return None
    here = zone_of("" if exact and exact[4] else zone)
    try:
        if exact:
            offset = "" if exact[4] in (None, "utc", "z") else exact[4]
            moment = datetime.fromisoformat(f"{exact[1]}T{exact[2]:0>2}{exact[3]}{offset}")
            return _in_ms(moment if moment.tzinfo else moment.replace(tzinfo=here))
        if day:
            date = datetime.fromtimestamp(now / 1000, here).date() + timedelta(days=_DAYS[day[1]])
            return _in_ms(datetime(date.year, date.month, date.day, int(day[2]), int(day[3] or 0), tzinfo=here))
    except ValueError:
        pass
    return None


def _in_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

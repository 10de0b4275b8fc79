"""Moments as people write them: `in 2 hours`, `tomorrow 9:00`, `2026-12-01 09:00`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from domain.times import days, hours, minutes

ALLOWED = "in 30 minutes, in 2 hours, in 3 days, today 18:00, tomorrow 9:00, 2026-12-01 09:00, 2026-12-01 09:00 UTC"
_LENGTHS = {"m": minutes(1), "h": hours(1), "d": days(1)}
_IN = re.compile(r"in (?:(\d{1,5})|an?) ?(?:(m)(?:in(?:ute)?)?|(h)(?:our)?|(d)(?:ay)?)s?")
_DAY = re.compile(r"(today|tomorrow)(?: at)? (\d{1,2})(?::(\d\d))?")
_EXACT = re.compile(r"(\d{4}-\d\d-\d\d)[t ](\d{1,2})(:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(utc|z|[+-]\d\d:\d\d)?")


def zone_of(name: str) -> tzinfo:
    """The zone of that name, as browsers give it. ValueError for one that this machine does not know."""
    try:
        return UTC if name in ("", "UTC") else ZoneInfo(name[:64])
    except (ValueError, OSError, KeyError):
        raise ValueError(f"the time zone {name[:64]!r} is not known here: write 2026-12-01 09:00 UTC") from None


def moment_of(text: str, now: int, zone: str = "") -> int:
    """The moment in ms that is meant at `now` (ms) in that time zone, which is UTC when it is empty.

    ValueError says what is allowed. Of an hour that a change of the clocks brings twice, the first is meant.
    """
    wanted = " ".join(text.lower().split())
    if found := _IN.fullmatch(wanted):
        return now + int(found[1] or 1) * _LENGTHS[found[2] or found[3] or found[4]]
    day, exact = _DAY.fullmatch(wanted), _EXACT.fullmatch(wanted)
    here = zone_of("" if exact and exact[4] else zone)
    try:
        if day:
            date = datetime.fromtimestamp(now / 1000, here).date() + timedelta(days=day[1] == "tomorrow")
            return _in_ms(datetime(date.year, date.month, date.day, int(day[2]), int(day[3] or 0), tzinfo=here))
        if exact:
            offset = "" if exact[4] in (None, "utc", "z") else exact[4]
            moment = datetime.fromisoformat(f"{exact[1]}T{exact[2]:0>2}{exact[3]}{offset}")
            return _in_ms(moment if moment.tzinfo else moment.replace(tzinfo=here))
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text[:60]!r} is no moment: allowed are {ALLOWED}")


def _in_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

"""What is asked of a Clerk's times, as operators write it: an age (`90s`, `15m`, `2h`, `1d`), a moment (RFC 3339)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from domain.times import from_wire
from http_api.problems import Problem, invalid
from shop_manager.sessions.listing import Filter

_AGE = re.compile(r"([0-9]{1,9})([smhd]?)")
_NEEDED = "seconds are needed, or a number with a unit: 90s, 15m, 2h, 1d"
_SINCE_NEEDED = "a moment of RFC 3339 is needed (2026-11-24T09:00:00Z), or how long ago: 90s, 15m, 2h, 1d"
MOMENT_NEEDED = "a moment of RFC 3339 is needed (2026-11-24T09:00:00Z)"
MOMENT_SAYS = "RFC 3339, exclusive"
SINCE_SAYS = "changed since: a moment of RFC 3339, or how long ago: 90s, 15m, 2h, 1d"
_UNIT_MS = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class Times:
    """All in ms. `older_than`: the least age. `since`: the moment after which it has changed; `within`: how long ago
    that is, when it was not said as a moment. `created_after` and `created_before` are both exclusive.
    """

    older_than: int | None = None
    since: int | None = None
    within: int | None = None
    created_after: int | None = None
    created_before: int | None = None

    def of(self, wanted: Filter, now: int) -> Filter:
        """The filter with these times, read at this moment."""
        since = self.since if self.within is None else now - self.within
        found = replace(wanted, created_after=self.created_after, created_before=self.created_before)
        if self.older_than is not None:
            oldest = now - self.older_than
            found = replace(found, created_before=min(oldest, self.created_before or oldest))
        return found if since is None else replace(found, updated_since=since)


ANY_TIME = Times()
TIMES = ("older_than", "updated_since", "created_after", "created_before")
"""The parameters of `read_times`, in its order."""


def read_times(
    older_than: str | None,
    updated_since: str | None,
    created_after: str | None = None,
    created_before: str | None = None,
) -> Times:
    """Problem 422 names the parameter."""
    return replace(
        _since_of(updated_since),
        older_than=age_of(older_than),
        created_after=_moment_of("created_after", created_after),
        created_before=_moment_of("created_before", created_before),
    )


def age_of(text: str | None) -> int | None:
    """`15m` → 900,000 ms; Problem 422 names the parameter `older_than`."""
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise invalid("older_than", _NEEDED)
    return int(match.group(1)) * _UNIT_MS[match.group(2)]


def is_age(text: str) -> bool:
    return _AGE.fullmatch(text) is not None


def checked_age(text: str) -> str:
    """The text, if it is an age; ValueError says what is needed."""
    if not is_age(text):
        raise ValueError(_NEEDED)
    return text


def checked_moment(text: str) -> str:
    """The text, if it is a moment; ValueError says what is needed."""
    try:
        from_wire(text)
    except (ValueError, OverflowError):
        raise ValueError(MOMENT_NEEDED) from None
    return text


def checked_since(text: str) -> str:
    """The text, if it is a moment or how long ago; ValueError says what is needed."""
    try:
        _since_of(text)
    except Problem:
        raise ValueError(_SINCE_NEEDED) from None
    return text


def _since_of(text: str | None) -> Times:
    if text is None:
        return ANY_TIME
    if is_age(text):
        return Times(within=age_of(text))
    try:
        return Times(since=from_wire(text))
    except (ValueError, OverflowError):
        raise invalid("updated_since", _SINCE_NEEDED) from None


def _moment_of(name: str, text: str | None) -> int | None:
    try:
        return None if text is None else from_wire(text)
    except (ValueError, OverflowError):
        raise invalid(name, MOMENT_NEEDED) from None

"""What is asked of a Clerk's times, as operators write it: an age (`90s`, `15m`, `2h`, `1d`), a moment (RFC 3339)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from http_api.problems import Problem, invalid
from shop_manager.operations.moments import age_of, wire_moment
from shop_manager.sessions.listing import Filter

_NEEDED = "seconds are needed, or a number with a unit: 90s, 15m, 2h, 1d"
_SINCE_NEEDED = "a moment of RFC 3339 is needed (2026-11-24T09:00:00Z), or how long ago: 90s, 15m, 2h, 1d"
MOMENT_NEEDED = "a moment of RFC 3339 is needed (2026-11-24T09:00:00Z)"
MOMENT_SAYS = "RFC 3339, exclusive"
SINCE_SAYS = "changed since: a moment of RFC 3339, or how long ago: 90s, 15m, 2h, 1d"


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
        older_than=_older_than(older_than),
        created_after=_moment_of("created_after", created_after),
        created_before=_moment_of("created_before", created_before),
    )


def _older_than(text: str | None) -> int | None:
    """`15m` → 900,000 ms; Problem 422 names the parameter `older_than`."""
    age = None if text is None else age_of(text)
    if text is not None and age is None:
        raise invalid("older_than", _NEEDED)
    return age


def checked_age(text: str) -> str:
    """The text, if it is an age; ValueError says what is needed."""
    if age_of(text) is None:
        raise ValueError(_NEEDED)
    return text


def checked_moment(text: str) -> str:
    """The text, if it is a moment; ValueError says what is needed."""
    if wire_moment(text) is None:
        raise ValueError(MOMENT_NEEDED)
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
    found = Times(since=wire_moment(text), within=age_of(text))
    if found == ANY_TIME:
        raise invalid("updated_since", _SINCE_NEEDED)
    return found


def _moment_of(name: str, text: str | None) -> int | None:
    moment = None if text is None else wire_moment(text)
    if text is not None and moment is None:
        raise invalid(name, MOMENT_NEEDED)
    return moment

"""Which lines the activity page shows, as read from the page's address: the page has no other state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import get_args

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from domain.times import from_wire, hours
from shop_manager.operations.activity import ActivityFilter, ActivityKind
from shop_manager.saga.state import StuckKind

KINDS: tuple[str, ...] = get_args(ActivityKind)
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "service": (SHOP_MANAGER, *SERVICES),
    "cause": get_args(StuckKind),
    "hours": ("1", "6", "24", "168"),
}
"""Parameters that take one of a few values, and these."""
TEXTS = ("step", "process", "who", "code")
MOMENTS = ("since", "until")
LONGEST = 200


@dataclass(frozen=True)
class ActivityQuery:
    """`values` are the valid parameters that were given, as texts; `errors` says of the others what is wrong."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)

    def filter(self, now: int) -> ActivityFilter:
        given = self.values.get
        since, until = (moment_of(given(name) or "") for name in MOMENTS)
        if since is None and given("hours"):
            since = now - hours(int(self.values["hours"]))
        return ActivityFilter(
            kind=given("kind"),  # type: ignore[arg-type]  # one of KINDS: `read_activity_query` has checked it
            service=given("service"),
            step=given("step"),
            cause=given("cause"),
            code=given("code"),
            who=given("who"),
            process=given("process"),
            since=since,
            until=until,
        )

    def local(self, name: str) -> str:
        """A moment as its field shows it, in UTC; empty when none was given."""
        moment = moment_of(self.values.get(name, ""))
        return "" if moment is None else f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%dT%H:%M}"


def read_activity_query(parameters: Mapping[str, str]) -> ActivityQuery:
    """From the parameters of an address; an empty one counts as not given."""
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name in (*CHOICES, *TEXTS, *MOMENTS):
        given = parameters.get(name, "").strip()
        error = _error_in(name, given) if given else None
        if error:
            errors[name] = error
        elif given:
            values[name] = given
    return ActivityQuery(values, errors)


def moment_of(text: str) -> int | None:
    """In ms; what a browser's field sends has no offset, and is UTC. None for what is no moment."""
    try:
        return from_wire(text if _has_offset(text) else f"{text}Z")
    except (ValueError, OverflowError):
        return None


def _has_offset(text: str) -> bool:
    _, _, time = text.upper().partition("T")
    return any(sign in time for sign in "Z+-")


def _error_in(name: str, value: str) -> str | None:
    if name in CHOICES:
        return None if value in CHOICES[name] else f"allowed are {', '.join(CHOICES[name])}"
    if name in MOMENTS:
        return None if moment_of(value) is not None else "a time such as 2026-11-25T03:00 is needed"
    return f"at most {LONGEST} characters" if len(value) > LONGEST else None

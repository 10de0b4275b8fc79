"""Which lines the activity page shows, as read from the page's address: the page has no other state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from domain.times import hours
from shop_manager.dashboard.address_errors import AddressQuery
from shop_manager.dashboard.query_parameters import ZONE, typed_moment
from shop_manager.operations.activity import ActivityFilter, ActivityKind
from shop_manager.operations.moments import wire_moment
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


class ActivityQuery(AddressQuery):
    """Its moments are in RFC 3339."""

    def filter(self, now: int) -> ActivityFilter:
        given = self.values.get
        since, until = (wire_moment(given(name) or "") for name in MOMENTS)
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


NAMES = frozenset({*CHOICES, *TEXTS, *MOMENTS, ZONE})


def read_activity_query(parameters: Mapping[str, str], now: int) -> ActivityQuery:
    """From the parameters of an address; an empty one counts as not given. Moments may be as people type them."""
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in (*CHOICES, *TEXTS, *MOMENTS):
        given = parameters.get(name, "").strip()
        value, error = _read(name, given, now, parameters.get(ZONE, "")) if given else ("", None)
        if error:
            errors[name], wrong[name] = error, given
        elif value:
            values[name] = value
    return ActivityQuery(values, errors, wrong)


def _read(name: str, text: str, now: int, zone: str) -> tuple[str, str | None]:
    """(the value, what is wrong with the text)."""
    if name in CHOICES:
        return text, None if text in CHOICES[name] else f"allowed are {', '.join(CHOICES[name])}"
    if name in MOMENTS:
        return typed_moment(text, now, zone)
    return text, f"at most {LONGEST} characters" if len(text) > LONGEST else None

"""The causes of the home page, a line each: how old and how grave, how it has grown, and where to act."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from domain.times import hours, minutes
from http_api.keys import Role
from shop_manager.dashboard.query_parameters import address
from shop_manager.dashboard.sparkline import polyline
from shop_manager.operations.cause_growth import CauseParts, Growth, parts_of

GRAVE_FROM, OLD_FROM = hours(1), minutes(15)
"""Ages (ms) of a cause from which its time is shown as bad, and as a warning."""


class CauseRow(NamedTuple):
    """`id` is that of its element, and stays while the cause does. `act` is where `act_name` leads; `orders` the list
    of its orders. `line` are the points of a sparkline, from `before` to the count of now.
    """

    cause: Mapping[str, Any]
    id: str
    tone: str
    act: str
    act_name: str
    orders: str
    line: str
    before: int


def cause_rows(
    causes: Sequence[Mapping[str, Any]], growth: Mapping[CauseParts, Growth], role: Role, is_operator: bool
) -> list[CauseRow]:
    """In the order of `causes`. Who only looks is led to the same orders, by another word."""
    return [_row(cause, growth.get(parts_of(cause)), role, is_operator) for cause in causes]


def _row(cause: Mapping[str, Any], growth: Growth | None, role: Role, is_operator: bool) -> CauseRow:
    parts = {name: cause[name] for name in ("kind", "process", "step", "code")}
    orders = address("/dashboard/clerks", {"stuck": "yes", **parts})
    counts = growth.counts if growth else [cause["count"]]
    return CauseRow(
        cause=cause,
        id="cause-" + hashlib.sha256("\n".join(map(str, parts_of(cause))).encode()).hexdigest()[:12],
        tone=tone_of(cause["oldest_seconds"] * 1000),
        act=_act(cause, parts, growth, role, orders),
        act_name="Act" if is_operator else "See",
        orders=orders,
        line=polyline(counts, max(counts)),
        before=counts[0],
    )


def _act(cause: Mapping[str, Any], parts: Mapping[str, str], growth: Growth | None, role: Role, orders: str) -> str:
    """Where the next move is made: at the parked messages, at the one order, or at all of them."""
    if cause["kind"] == "parked_message":
        return address("/dashboard/parked", {"state": "parked", "service": cause["service"] or ""})
    if cause["count"] == 1 and growth:
        return f"/dashboard/clerks/{quote(growth.first, safe='')}#acts-title"
    if role == "admin":
        return address("/dashboard/bulk", {"action": "retry", "stuck": "yes", **parts})
    return orders


def tone_of(age: int) -> str:
    """The colour of an age in ms; the time beside it says the same."""
    return "bad" if age >= GRAVE_FROM else "warn" if age >= OLD_FROM else "quiet"

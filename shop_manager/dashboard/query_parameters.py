"""Which Clerks a list shows, and in which order, as read from the page's address: the list has no other state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode

from domain.times import to_wire
from http_api.problems import Problem
from shop_manager.dashboard.address_errors import AddressQuery
from shop_manager.operations.ages import TIMES, Times, read_times
from shop_manager.operations.moments import moment_of, wire_moment
from shop_manager.saga.state import StuckKind
from shop_manager.sessions.listing import ORDERS, Filter
from shop_manager.sessions.view import PublicStatus

STATUSES: tuple[str, ...] = get_args(PublicStatus)
KINDS: tuple[str, ...] = get_args(StuckKind)
CHOICES: dict[str, tuple[str, ...]] = {
    "stuck": ("yes", "no"),
    "mine": ("yes",),
    "kind": KINDS,
    "status": STATUSES,
    "sort": tuple(ORDERS),
}
"""Parameters that take one of a few values, and these."""
TEXTS = ("code", "step", "process", "shop", "customer", "reference", *TIMES)
MOMENTS = ("updated_since", "created_after", "created_before")
"""Of TIMES those that are a moment: as somebody has typed it, until the address holds it in RFC 3339."""
ZONE = "zone"
"""In which time zone moments were typed, as browsers name it; it goes when they are read."""
FILTERS = ("stuck", "mine", "kind", "status", *TEXTS)
NAMES_IN_OPS = {"reference": "client_reference"}
VALUES_IN_OPS = {"stuck": {"true": "yes", "false": "no"}, "mine": {"true": "yes"}}
"""How `/ops/clerks` names the same: its parameters are understood here too."""
COLUMNS = {
    "reference": "Reference",
    "customer": "Customer",
    "total": "Total",
    "status": "Status",
    "step": "Step",
    "stuck": "Stuck",
    "age": "Opened",
    "changed": "Changed",
    "next": "Next act",
    "process": "Process",
    "shop": "Shop",
}
"""Columns of the list that can be chosen, in their order; the ids come after them in every list."""
USUAL = ("reference", "customer", "total", "status", "step", "stuck", "age")
CHOSEN = "column."
"""With a column's name behind it: a ticked box of the page."""
NEWEST = "-created_at"
LONGEST = 200


@dataclass(frozen=True)
class ClerkQuery(AddressQuery):
    """`operator`: whose claims are `mine`, as claims are told apart."""

    operator: str = ""

    @property
    def sort(self) -> str:
        return self.values.get("sort") or ("stuck_since" if self.values.get("stuck") == "yes" else NEWEST)

    @property
    def columns(self) -> list[str]:
        """Those that are shown: the chosen ones, else the usual ones and what filter and order are about."""
        chosen = self.values.get("columns", "").split(",")
        about = ("changed" if "updated_since" in self.values else "", "next" if "next_wake_at" in self.sort else "")
        return [name for name in COLUMNS if name in (chosen if chosen != [""] else (*USUAL, *about))]

    @property
    def filters(self) -> dict[str, str]:
        """The values that choose Clerks, without the order."""
        return {name: value for name, value in self.values.items() if name in FILTERS}

    @property
    def look(self) -> dict[str, str]:
        """The values that choose no Clerks: how the list looks."""
        return {name: value for name, value in self.values.items() if name not in FILTERS}

    @property
    def times(self) -> Times:
        return read_times(*(self.values.get(name) for name in TIMES))

    @property
    def filter(self) -> Filter:
        given = self.values.get
        return Filter(
            status=given("status"),  # type: ignore[arg-type]  # one of STATUSES: `read_clerk_query` has checked it
            stuck={"yes": True, "no": False}.get(given("stuck") or ""),
            kind=given("kind"),
            code=given("code"),
            step=given("step"),
            process=given("process"),
            shop=given("shop"),
            customer=given("customer"),
            client_reference=given("reference"),
            mine=True if given("mine") else None,
            operator=self.operator,
        )


NAMES = frozenset({*CHOICES, *TEXTS, *NAMES_IN_OPS.values(), "columns", *(CHOSEN + name for name in COLUMNS), ZONE})
"""All that an address of the list may name, beside the cursor."""


def read_clerk_query(parameters: Mapping[str, str], operator: str = "", now: int | None = None) -> ClerkQuery:
    """From the parameters of an address; an empty one counts as not given.

    `now` (ms): moments may also stand there as people type them; without it only as addresses hold them.
    """
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in (*CHOICES, *TEXTS):
        given = (parameters.get(name) or parameters.get(NAMES_IN_OPS.get(name, name)) or "").strip()
        value = VALUES_IN_OPS.get(name, {}).get(given, given)
        error = _error_in(name, value) if value else None
        if error and now is not None and name in MOMENTS:
            value, error = typed_moment(value, now, parameters.get(ZONE, ""))
        if error:
            errors[name], wrong[name] = error, given
        elif value:
            values[name] = value
    columns, unknown = _columns_in(parameters)
    if unknown:
        errors["columns"], wrong["columns"] = f"allowed are {', '.join(COLUMNS)}", parameters.get("columns", "")
    elif columns:
        values["columns"] = ",".join(columns)
    return ClerkQuery(values, errors, wrong, operator)


def holds_what_was_typed(parameters: Mapping[str, str], moments: Sequence[str], values: Mapping[str, str]) -> bool:
    """Does an address hold what a form has sent of these moments, and not what the page's own address says?"""
    typed = any(parameters.get(name) and parameters[name] != values.get(name) for name in moments)
    return typed or bool(parameters.get(ZONE))


def typed_moment(text: str, now: int, zone: str) -> tuple[str, str | None]:
    """(the moment in RFC 3339, what is wrong with the text). What is RFC 3339 already stays as it is."""
    if wire_moment(text) is not None:
        return text, None
    try:
        return to_wire(moment_of(text, now, zone, past=True)), None
    except (ValueError, OverflowError) as error:
        return text, str(error)


def _columns_in(parameters: Mapping[str, str]) -> tuple[list[str], bool]:
    """(the columns that are asked for, is there one that is not known)."""
    ticked = [name for name in COLUMNS if parameters.get(CHOSEN + name)]
    asked = ticked or [name.strip() for name in parameters.get("columns", "").split(",") if name.strip()]
    return list(dict.fromkeys(asked)), not set(asked) <= set(COLUMNS)


def _error_in(name: str, value: str) -> str | None:
    if name in CHOICES:
        return None if value in CHOICES[name] else f"allowed are {', '.join(CHOICES[name])}"
    if len(value) > LONGEST:
        return f"at most {LONGEST} characters"
    if name in TIMES:
        try:
            read_times(*(value if each == name else None for each in TIMES))
        except Problem as problem:
            return problem.errors[0]["detail"]
    return None


def address(path: str, values: Mapping[str, Any], **changes: Any) -> str:
    """The path with these parameters, some of them changed; those that are None or empty are left out."""
    kept = {name: value for name, value in {**values, **changes}.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path

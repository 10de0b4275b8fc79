"""What a list of Clerks is asked for, read from the page's address: filters, order, place. Nothing else holds state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import urlencode

from doors.problems import Problem
from shop_manager.api_ops import age_of
from shop_manager.listing import ORDERS, Filter
from shop_manager.public import PublicStatus
from shop_manager.saga import StuckKind

STATUSES: tuple[str, ...] = get_args(PublicStatus)
KINDS: tuple[str, ...] = get_args(StuckKind)
CHOICES: dict[str, tuple[str, ...]] = {"stuck": ("yes", "no"), "kind": KINDS, "status": STATUSES, "sort": tuple(ORDERS)}
"""Fields that take one of a few values, and these."""
TEXTS = ("code", "step", "process", "shop", "customer", "reference", "older_than")
FILTERS = ("stuck", "kind", "status", *TEXTS)
ALSO_CALLED = {"reference": "client_reference"}
ALSO_SAID = {"stuck": {"true": "yes", "false": "no"}}
"""How `/ops/clerks` says the same: an address of its is understood here too."""
NEWEST = "-created_at"
LONGEST = 200


@dataclass(frozen=True)
class Asked:
    """`values` are the fields that were given and make sense, as texts; `wrong` says of the others why not."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def sort(self) -> str:
        return self.values.get("sort") or ("stuck_since" if self.values.get("stuck") == "yes" else NEWEST)

    @property
    def filters(self) -> dict[str, str]:
        """Those of the values that choose Clerks."""
        return {name: value for name, value in self.values.items() if name in FILTERS}

    @property
    def older_than(self) -> int | None:
        """The least age, in ms."""
        return age_of(self.values.get("older_than"))

    @property
    def filter(self) -> Filter:
        given = self.values.get
        return Filter(
            status=given("status"),  # type: ignore[arg-type]  # one of STATUSES: `read_asked` has seen to it
            stuck={"yes": True, "no": False}.get(given("stuck") or ""),
            kind=given("kind"),
            code=given("code"),
            step=given("step"),
            process=given("process"),
            shop=given("shop"),
            customer=given("customer"),
            client_reference=given("reference"),
        )


def read_asked(query: Mapping[str, str]) -> Asked:
    """From the parameters of an address; empty ones are as if they were not there."""
    values: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in (*CHOICES, *TEXTS):
        said = (query.get(name) or query.get(ALSO_CALLED.get(name, name)) or "").strip()
        value = ALSO_SAID.get(name, {}).get(said, said)
        problem = _what_is_wrong(name, value) if value else None
        if problem:
            wrong[name] = problem
        elif value:
            values[name] = value
    return Asked(values, wrong)


def _what_is_wrong(name: str, value: str) -> str | None:
    if name in CHOICES:
        return None if value in CHOICES[name] else f"allowed are {', '.join(CHOICES[name])}"
    if len(value) > LONGEST:
        return f"at most {LONGEST} characters"
    if name == "older_than":
        try:
            age_of(value)
        except Problem as problem:
            return problem.detail.partition(": ")[2]
    return None


def address(path: str, values: Mapping[str, Any], **changes: Any) -> str:
    """The path with these parameters, some of them changed; those that are None or empty are left out."""
    kept = {name: value for name, value in {**values, **changes}.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path

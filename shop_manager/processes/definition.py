"""What a process is: named steps as data, checked when they are put together (docs/design/processes.md). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, Literal

import orjson

from domain.document import SERVICES

Waits = Literal["customer", "warehouse"]
NOTHING_TO_UNDO: Final = "nothing to undo"
EVERYBODY: Final = "everybody"
"""The rule of a process without conditions, as it is stored with the Clerks for which it was chosen."""
_CONDITIONS = {
    "allows_invoice is True": "the shop allows invoices",
    "allows_invoice is False": "the shop allows no invoices",
}


class BadProcess(ValueError):
    """A process definition that cannot be run; the message says which step and what is wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: which service is asked to do what, what undoes it, whom it waits for, and how long it may take.

    `within` is in ms from the moment it is asked, None for no limit of its own. `overdue` is asked instead of getting
    stuck when the limit of a step after the pivot has passed. A command `Name.v2` is version 2, `Name` version 1.
    """

    name: str
    asks: str
    do: str
    undo: str | None = None
    waits_for: Waits | None = None
    within: int | None = None
    overdue: str | None = None
    pivot: bool = False


def Pivot(  # noqa: N802  # reads as a kind of step in the process files
    name: str, asks: str, do: str, *, waits_for: Waits | None = None, within: int | None = None
) -> Step:
    """The point of no return: once it is asked, money or goods may have moved."""
    return Step(name, asks, do, None, waits_for, within, None, True)


@dataclass(frozen=True, slots=True)
class Suits:
    """Whom a process is for; a condition that is None holds for everybody. The more conditions, the closer the fit."""

    customer_type: str | None = None
    shop_type: str | None = None
    allows_invoice: bool | None = None

    def conditions(self) -> dict[str, object]:
        named = {
            "customer_type": self.customer_type,
            "shop_type": self.shop_type,
            "allows_invoice": self.allows_invoice,
        }
        return {name: value for name, value in named.items() if value is not None}

    def __str__(self) -> str:
        return " and ".join(f"{name} is {value}" for name, value in self.conditions().items()) or EVERYBODY


def in_words(rule: str) -> str:
    """A rule as it is stored, said to people: `the customer is trusted and the shop allows invoices`."""
    return " and ".join(_CONDITIONS.get(each, each).replace("_", " ") for each in rule.split(" and "))


@dataclass(frozen=True)
class Process:
    """A checked process. `digest` is the hash of its steps that every Clerk on it remembers."""

    name: str
    version: int
    steps: Sequence[Step]
    suits: Suits = Suits()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        _check(self)
        data = [self.name, self.version, [_as_list(step) for step in self.steps]]
        object.__setattr__(self, "digest", hashlib.sha256(orjson.dumps(data)).hexdigest()[:16])

    @cached_property
    def reference(self) -> str:
        """`standard/1`."""
        return f"{self.name}/{self.version}"

    @cached_property
    def names(self) -> list[str]:
        return [step.name for step in self.steps]

    @cached_property
    def pivot_index(self) -> int:
        return next(index for index, step in enumerate(self.steps) if step.pivot)

    def index(self, name: str) -> int:
        """Where a step is; KeyError when the process has none of that name."""
        return self._places[name]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def step(self, name: str) -> Step:
        return self.steps[self.index(name)]

    def after(self, name: str) -> Step | None:
        """The step that follows, None after the last."""
        following = self.index(name) + 1
        return self.steps[following] if following < len(self.steps) else None

    def commands(self) -> dict[str, set[tuple[str, int]]]:
        """By service: every (command, version) that this process may ask it."""
        asked: dict[str, set[tuple[str, int]]] = {}
        for step in self.steps:
            for command in (step.do, step.undo, step.overdue):
                if command and command != NOTHING_TO_UNDO:
                    asked.setdefault(step.asks, set()).add(name_and_version(command))
        return asked


@lru_cache(maxsize=500)
def name_and_version(command: str) -> tuple[str, int]:
    """`ShipOrder.v2` → ("ShipOrder", 2); `ShipOrder` → ("ShipOrder", 1)."""
    name, _, version = command.partition(".v")
    return name, int(version or 1)


def _as_list(step: Step) -> list[object]:
    return [step.name, step.asks, step.do, step.undo, step.waits_for, step.within, step.overdue, step.pivot]


def _check(process: Process) -> None:
    here = f"process {process.name}/{process.version}"
    names = process.names
    if len(set(names)) != len(names):
        raise BadProcess(f"{here}: two steps have the same name: {sorted(names)}")
    if sum(step.pivot for step in process.steps) != 1:
        raise BadProcess(f"{here}: has {sum(s.pivot for s in process.steps)} pivots: exactly one is allowed")
    for step in process.steps:
        _check_step(here, process, step)


def _check_step(here: str, process: Process, step: Step) -> None:
    before = process.index(step.name) < process.pivot_index
    after = process.index(step.name) > process.pivot_index
    if step.asks not in SERVICES:
        raise BadProcess(f"{here}, step {step.name}: asks {step.asks!r}: allowed are {', '.join(SERVICES)}")
    if before and not step.undo:
        raise BadProcess(f"{here}, step {step.name}: is before the pivot and has no undo (or NOTHING_TO_UNDO)")
    if not before and step.undo:
        raise BadProcess(f"{here}, step {step.name}: has an undo, but from the pivot on nothing is undone")
    if step.overdue and not after:
        raise BadProcess(f"{here}, step {step.name}: `overdue` is for steps after the pivot")
    if step.within is not None and step.within <= 0:
        raise BadProcess(f"{here}, step {step.name}: within is {step.within} ms: more than 0 is allowed")
    for command in (step.do, step.undo, step.overdue):
        if command and command != NOTHING_TO_UNDO and not _is_command(command):
            raise BadProcess(f"{here}, step {step.name}: {command!r} is no command: allowed is Name or Name.v2")


def _is_command(command: str) -> bool:
    name, _, version = command.partition(".v")
    return name.isidentifier() and (not version or version.isdigit())

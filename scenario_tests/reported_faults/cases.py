"""What a case is: a fault that somebody reported of another product, what is done here, and the right value.

A case stands in one line of a room's table, or is a small function where it takes several steps. Its value is what a
client sees: `"404 not_found"`, `"201"`, or a tuple of such.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Act = Callable[[Any], object]
"""It is given a `Place`; those that move clocks a `ClockedPlace`."""


@dataclass(frozen=True, slots=True)
class Case:
    """`seen`: where such a thing was reported (product, and the number of the issue)."""

    number: int
    name: str
    seen: str
    act: Act
    right: object

    def __str__(self) -> str:
        return f"{self.number:03d} {self.name}"


class Room:
    """The cases of one kind. Numbers are given by hand: a case keeps its own when others come before it."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def row(self, number: int, name: str, seen: str, act: Act, right: object) -> None:
        """A case in one line."""
        self.cases.append(Case(number, name, seen, act, right))

    def case(self, number: int, name: str, seen: str, right: object) -> Callable[[Act], Act]:
        """A case of several steps: decorates the function that does them and returns what was seen."""

        def taken(act: Act) -> Act:
            self.row(number, name, seen, act, right)
            return act

        return taken

"""A violation: one place where the databases of the shop break an invariant. `clerk verify` prints it as a drift."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.repairs import Repair


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant.

    `invariant` is its name ("I1" … "I18"); `clerk` the id of the Clerk, None when it concerns none in particular (a
    product's stock, an account's limit); `expected` and `found` are one line each; `repair` is what would put it right.
    """

    invariant: str
    clerk: str | None
    expected: str
    found: str
    repair: Repair

    def as_json(self) -> dict[str, str | None]:
        """The fields as `clerk verify` prints them."""
        return {
            "invariant": self.invariant,
            "clerk": self.clerk,
            "expected": self.expected,
            "found": self.found,
            "repair": self.repair.sentence,
        }

    def __str__(self) -> str:
        return f"{self.invariant} {self.clerk or ''}: expected {self.expected}; found {self.found}"

"""Injection points: each call that leaves a participant (database, broker, provider, answer) is counted, and may fail.

An occasion is named `participant.point.number`, for example `risk.commit.3`; the fault there is one word (faults.py).
"""

from __future__ import annotations

from typing import Protocol


class Crash(BaseException):
    """The process ends at this very moment. A BaseException: no `except Exception` of production code catches it."""


class FaultPlan(Protocol):
    """Says what goes wrong where."""

    def at(self, point: str, occasion: str) -> str | None:
        """The fault at this occasion, one of those that `FAULTS` (faults.py) has for this point, or None."""
        ...


class InjectionPoints:
    """Counts the occasions of one run and asks the plan at each. `passed` are all of them, in order."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.passed: list[tuple[str, str]] = []
        self._counts: dict[str, int] = {}

    def reached(self, participant: str, point: str) -> str | None:
        """What goes wrong here. Raises Crash when the process ends here."""
        fault = self.look(participant, point)
        if fault == "crash":
            raise Crash(f"{participant} at {point}")
        return fault

    def look(self, participant: str, point: str) -> str | None:
        """As `reached`, but raises nothing: for faults that are no crash, or that the caller itself turns into one."""
        name = f"{participant}.{point}"
        number = self._counts[name] = self._counts.get(name, 0) + 1
        occasion = f"{name}.{number}"
        self.passed.append((point, occasion))
        return self.plan.at(point, occasion)

"""Every call that leaves a participant (database, broker, provider, door) passes here, is numbered, and may go wrong.

A port's occasion is named `participant.port.number`, for example `risk.commit.3`; what goes wrong there is one word.
"""

from __future__ import annotations

from typing import Protocol


class Crash(BaseException):
    """The process ends at this very moment. No `except Exception` of production code may catch it, and none does."""


class Plan(Protocol):
    """Says what goes wrong."""

    def at(self, port: str, occasion: str) -> str | None:
        """The fault at this occasion, one of faults.py's for this port, or None."""
        ...


class Ports:
    """Counts the occasions of one run and asks the plan at each. `passed` are all of them, in order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.passed: list[tuple[str, str]] = []
        self._counts: dict[str, int] = {}

    def reached(self, who: str, port: str) -> str | None:
        """What goes wrong here. Raises Crash when the process ends here."""
        fault = self.look(who, port)
        if fault == "crash":
            raise Crash(f"{who} at {port}")
        return fault

    def look(self, who: str, port: str) -> str | None:
        """As `reached`, for ports that belong to the outer world: nobody of ours can crash there."""
        name = f"{who}.{port}"
        number = self._counts[name] = self._counts.get(name, 0) + 1
        occasion = f"{name}.{number}"
        self.passed.append((port, occasion))
        return self.plan.at(port, occasion)

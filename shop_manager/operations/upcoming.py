"""What will happen to a Clerk by itself, when, and in words: its deadlines and the next resend. Pure.

Only what is still to come is told: no limit that has passed, and nothing that should have happened and did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from domain.times import seconds, to_wire
from shop_manager.processes.definition import Process
from shop_manager.saga.state import Question, Saga

UNDONE = "the order is undone and the session expires"
LATE = seconds(5)
"""ms after which what was due has not come: while the broker or ShopManager is away nobody is woken (T5)."""


@dataclass(frozen=True, slots=True, order=True)
class Upcoming:
    """One moment (ms), what comes then, and in words what follows.

    `what`: the session's deadline, the step's, or the resend of the open question.
    """

    at: int
    what: Literal["session", "step", "resend"]
    then: str

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what, "at": to_wire(self.at), "then": self.then}


def promised(at: int | None, now: int) -> int | None:
    """A moment (ms) at which something is to happen; None when it is over, and has not kept what it promised."""
    return None if at is None or at < now - LATE else at


def upcoming(saga: Saga, process: Process | None, now: int) -> list[Upcoming]:
    """The soonest first. `process` is None when it was taken out after its last Clerk had ended."""
    return sorted(each for each in _due(saga, process) if promised(each.at, now) is not None)


def _due(saga: Saga, process: Process | None) -> Iterator[Upcoming]:
    question = saga.question
    if saga.status == "running" and not saga.past_pivot:
        yield Upcoming(saga.expires_at, "session", UNDONE)
    if question is not None and question.deadline is not None:
        then = _step_deadline(saga, question, process)
        if then:
            yield Upcoming(question.deadline, "step", then)
    if question is not None and saga.resend is not None:
        yield Upcoming(saga.resend.at, "resend", _asked_again(question, saga.resend.count))


def soonest(saga: Saga, process: Process | None, now: int) -> Upcoming | None:
    """The first of them; None when nothing will happen."""
    return next(iter(upcoming(saga, process, now)), None)


def coming_next(saga: Saga, process: Process | None, now: int) -> dict[str, Any] | None:
    """`{what, at, then, in_seconds}` of the soonest, or None."""
    found = soonest(saga, process, now)
    return None if found is None else {**found.as_json(), "in_seconds": max(0, found.at - now) // 1000}


def _step_deadline(saga: Saga, question: Question, process: Process | None) -> str:
    """Nothing more when it is stuck already."""
    if not saga.past_pivot:
        return UNDONE
    step = process.step(question.step) if process else None
    if step is not None and step.overdue and question.command != step.overdue:
        return f"{step.asks} is asked {step.overdue} instead"
    return "" if saga.stuck else "it is stuck and waits for a person"


def _asked_again(question: Question, resends: int) -> str:
    if question.paused:
        return f"{question.step} is asked anew, as attempt {question.attempt + 1}"
    count = resends + 1
    return f"the same question goes out again; asked {'once' if count == 1 else f'{count} times'} so far"

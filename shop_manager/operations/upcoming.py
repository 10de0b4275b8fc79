"""What will happen to a Clerk by itself, when, and in words: its deadlines and the next resend. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from domain.times import to_wire
from shop_manager.processes.definition import Process
from shop_manager.saga.state import Question, Saga

UNDONE = "the order is undone and the session expires"


@dataclass(frozen=True, slots=True, order=True)
class Upcoming:
    """One moment (ms), what comes then, and in words what follows; `has_effect` is False when nothing follows any more.

    `what`: the session's deadline, the step's, or the resend of the open question.
    """

    at: int
    what: Literal["session", "step", "resend"]
    then: str
    has_effect: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what, "at": to_wire(self.at), "then": self.then}


def upcoming(saga: Saga, process: Process | None) -> list[Upcoming]:
    """The soonest first. `process` is None when it was taken out after its last Clerk had ended."""
    found = []
    question = saga.question
    if saga.status == "running" and not saga.past_pivot:
        found.append(Upcoming(saga.expires_at, "session", UNDONE))
    if question is not None and question.deadline is not None:
        found.append(_step_deadline(saga, question, question.deadline, process))
    if question is not None and saga.resend is not None:
        found.append(Upcoming(saga.resend.at, "resend", _asked_again(question, saga.resend.count)))
    return sorted(found)


def soonest(saga: Saga, process: Process | None) -> Upcoming | None:
    """The first of them at which something happens; None when nothing will."""
    return next((each for each in upcoming(saga, process) if each.has_effect), None)


def coming_next(saga: Saga, process: Process | None, now: int) -> dict[str, Any] | None:
    """`{what, at, then, in_seconds}` of the soonest, or None."""
    found = soonest(saga, process)
    return None if found is None else {**found.as_json(), "in_seconds": max(0, found.at - now) // 1000}


def _step_deadline(saga: Saga, question: Question, at: int, process: Process | None) -> Upcoming:
    if not saga.past_pivot:
        return Upcoming(at, "step", UNDONE)
    step = process.step(question.step) if process else None
    if step is not None and step.overdue and question.command != step.overdue:
        return Upcoming(at, "step", f"{step.asks} is asked {step.overdue} instead")
    if saga.stuck:
        return Upcoming(at, "step", "nothing more: it is stuck already", has_effect=False)
    return Upcoming(at, "step", "it is stuck and waits for a person")


def _asked_again(question: Question, resends: int) -> str:
    if question.paused:
        return f"{question.step} is asked anew, as attempt {question.attempt + 1}"
    count = resends + 1
    return f"the same question goes out again; asked {'once' if count == 1 else f'{count} times'} so far"

"""What becomes of a Clerk that a bulk act has asked again, or has turned around: healed, or still stuck. Pure.

A question that was sent is no outcome (docs/decisions/122).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from domain.messages import Direction
from shop_manager.saga.state import HistoryEntry, Question, Saga

Outcome = Literal["asked", "healed", "still_stuck", "changed", "not_allowed", "done", "failed"]
"""Of one item. `asked` is not final. `done`: of acts that ask nobody. `changed`: by somebody else since the preview."""
RESENDS = 3
"""So often the question goes out again without an answer, some 35 s, until the Clerk counts as still stuck."""


class Asked(NamedTuple):
    """The question that was open after the act."""

    step: str
    direction: Direction
    attempt: int


class Became(NamedTuple):
    outcome: Outcome
    detail: str


def at_once(action: str, before: Saga, after: Saga) -> Became | Asked:
    """What came of a granted act on one Clerk: an outcome, or what has to be answered first."""
    question = after.question
    if action == "undo":
        return _asked(question) if question else Became("healed", f"it is {after.status}")
    if action in ("retry", "replay") and before.stuck and question:
        return _asked(question)
    if action == "replay" and after.ended:
        return Became("healed", f"it is {after.status}")
    return Became("done", "it was asked again; it was not stuck" if action == "retry" else "")


def became(asked: Asked, saga: Saga) -> Became | None:
    """None while nobody knows yet."""
    stuck, question = saga.stuck, saga.question
    if saga.ended:
        return Became("healed", f"it is {saga.status}")
    if stuck is None:  # one that is being undone is healed at its end
        return None if saga.status == "undoing" else Became("healed", f"it has gone on to {question and question.step}")
    if question is None or saga.stuck_before:
        return None
    return Became("still_stuck", f"{stuck.kind}: {stuck.detail}") if _is_told(asked, saga, question) else None


def is_as_it_was(since: Iterable[HistoryEntry]) -> bool:
    """Has a Clerk only been asked anew by itself, and been told "cannot now" again, since it was seen?"""
    return all(
        entry.what in ("do_failed", "undo_failed") or (entry.what == "asked" and "by" not in entry.data)
        for entry in since
    )


def _is_told(asked: Asked, saga: Saga, question: Question) -> bool:
    """Is it known that the Clerk is stuck after it was asked? Another question that is stuck says so, too."""
    if (question.step, question.direction, question.attempt) != asked or question.paused:
        return True
    return saga.resend is not None and saga.resend.count >= RESENDS


def _asked(question: Question) -> Asked:
    return Asked(question.step, question.direction, question.attempt)

"""Undoing: the order turns around, and everybody who was asked puts his part back (semantics U1–U8, P2)."""

from __future__ import annotations

from typing import Any

from domain.refusals import Refused
from shop_manager.deciding.asking import ask_undo
from shop_manager.deciding.draft import Draft
from shop_manager.happenings import Decision
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step
from shop_manager.saga import EndStatus, Progress, Saga

SESSION_EXPIRED = Refused("session_expired", "the session's time was over before the order was complete")
PAST_THE_PIVOT = Refused("past_the_pivot", "the order is past the point of no return: it is being completed")


def call_off(draft: Draft, ending: EndStatus, by: str, reason: str) -> Decision:
    """Cancel, or expire on demand. Twice is once (U8); past the pivot it is refused (P2)."""
    if draft.saga.status == "undoing":
        return draft.decision()
    if draft.saga.past_pivot:
        return draft.decision(refused=PAST_THE_PIVOT)
    failure = None if ending == "canceled" else failure_of(draft, SESSION_EXPIRED)
    turn_around(draft, ending, failure, by, reason)
    return draft.decision()


def failure_of(draft: Draft, why: Refused) -> dict[str, Any]:
    """What a client is told, and at which step it was."""
    return {**why.as_json(), "step": draft.question.step if draft.question else None}


def turn_around(draft: Draft, ending: EndStatus, failure: dict[str, Any] | None, by: str, reason: str = "") -> None:
    draft.write("turned_around", ending=ending, failure=failure, by=by, reason=reason)
    undo_next(draft)


def undo_next(draft: Draft) -> None:
    """U1: strictly in reverse, the next only after the last is confirmed. U2: who refused has kept nothing.

    A step that was asked and never answered is unknown: it is undone too, and being the latest, first (U2, U7). One
    that an operator settled as done stays so (O2). When nothing is left, or nothing was asked (U6), the Clerk ends.
    """
    left = steps_to_undo(draft.process, draft.saga)
    if left:
        ask_undo(draft, left[0])
        return
    draft.write("ended", status=draft.saga.ending or "failed")


def steps_to_undo(process: Process, saga: Saga) -> list[Step]:
    """What an undo would still ask for, in its order."""
    asked = reversed(process.steps[: process.pivot_index])
    return [step for step in asked if step.undo != NOTHING_TO_UNDO and _has_kept(saga.steps.get(step.name))]


def _has_kept(progress: Progress | None) -> bool:
    return progress is not None and progress.state in ("asked", "waiting", "done") and not progress.by_hand

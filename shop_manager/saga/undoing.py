"""Undoes an order: services that were asked are asked for their undo, in reverse order (semantics U1–U8, P2). Pure."""

from __future__ import annotations

from typing import Any

from domain.refusals import Refused
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step
from shop_manager.saga.asking import ask_undo
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import Decision
from shop_manager.saga.state import EndStatus, Progress, Saga

SESSION_EXPIRED = Refused(
    "session_expired", "the session's time was over before the order was complete: open a new one"
)
PAST_THE_PIVOT = Refused(
    "past_the_pivot",
    "the order is past the point of no return, the money is taken or the goods have left: let it be completed",
)


def call_off(draft: Draft, ending: EndStatus, by: str, reason: str) -> Decision:
    """Cancel, or expire on demand. Past the pivot it is refused (P2); an order that is being undone goes on so (U8)."""
    if draft.saga.status == "undoing":
        return draft.decision()
    if draft.saga.past_pivot:
        return draft.decision(refused=PAST_THE_PIVOT)
    failure = None if ending == "canceled" else failure_of(draft, SESSION_EXPIRED)
    turn_around(draft, ending, failure, by, reason)
    return draft.decision()


def failure_of(draft: Draft, why: Refused) -> dict[str, Any]:
    """`{code, detail, step}`, as clients get it in `failure`."""
    return {**why.as_json(), "step": draft.question.step if draft.question else None}


def turn_around(draft: Draft, ending: EndStatus, failure: dict[str, Any] | None, by: str, reason: str = "") -> None:
    """From here on the order is undone; it ends as `ending` when nothing is left to undo."""
    data: dict[str, Any] = {"ending": ending, "failure": failure, "by": by, "reason": reason}
    if draft.saga.stuck:
        data["stays_stuck"] = True
    draft.write("turned_around", **data)
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
    """The steps that are still to be undone, in that order."""
    asked = reversed(process.steps[: process.pivot_index])
    return [step for step in asked if step.undo != NOTHING_TO_UNDO and _has_kept(saga.steps.get(step.name))]


def _has_kept(progress: Progress | None) -> bool:
    return progress is not None and progress.state in ("asked", "waiting", "done") and not progress.by_hand

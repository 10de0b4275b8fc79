"""Deadlines: of the session until the pivot, and of each step (semantics T1, T2, T5, P1). Pure."""

from __future__ import annotations

from domain.refusals import Refused
from shop_manager.saga.asking import ask_overdue, send_question
from shop_manager.saga.draft import Draft
from shop_manager.saga.state import Question, Saga
from shop_manager.saga.stuck import get_stuck_late
from shop_manager.saga.undoing import SESSION_EXPIRED, failure_of, turn_around


def wake_at(saga: Saga) -> int | None:
    """When `decide` must be asked about this Clerk again, even if nothing happens to it (ms); None after the end."""
    if saga.ended:
        return None
    moments = [saga.resend.at] if saga.resend else []
    if saga.status == "running" and not saga.past_pivot:
        moments.append(saga.expires_at)
    question = saga.question
    if question and question.deadline is not None and not (saga.past_pivot and saga.stuck):
        moments.append(question.deadline)
    return min(moments) if moments else None


def meet_deadlines(draft: Draft) -> None:
    """T2: whatever has happened, a deadline that passed before it counts first, unless it fell into an outage (T5)."""
    if draft.saga.status != "running":
        return
    if not draft.saga.past_pivot:
        _spare_outages(draft)
    question = draft.question
    step_is_over = question is not None and question.deadline is not None and question.deadline <= draft.now
    if draft.saga.past_pivot:
        if question and step_is_over:
            _overdue(draft, question)
    elif draft.saga.expires_at <= draft.now:
        turn_around(draft, "expired", failure_of(draft, SESSION_EXPIRED), by="deadline")
    elif question and step_is_over:
        turn_around(draft, "expired", failure_of(draft, _step_expired(question)), by="deadline")


def _step_expired(question: Question) -> Refused:
    who = "the customer has not acted" if question.waits_for else "the shop has not answered"
    return Refused("step_expired", f"{who} in time at the step {question.step}: open a new session")


def _spare_outages(draft: Draft) -> None:
    """T5: a deadline that passed while nobody could take replies is moved to `policy.grace` after the outage's end."""
    question, policy = draft.question, draft.policy
    of_step = question.deadline if question else None
    session = policy.outage_over(draft.saga.expires_at)
    step = policy.outage_over(of_step) if of_step is not None else None
    if session is None and step is None:
        return
    draft.write(
        "deadlines_moved",
        question.step if question else None,
        expires_at=session.end + policy.grace if session else draft.saga.expires_at,
        deadline=step.end + policy.grace if step else of_step,
        why="the deadline fell into an outage",
    )
    send_question(draft)


def _overdue(draft: Draft, question: Question) -> None:
    """P1: after the pivot nothing is undone. The step's `overdue` command is asked if it has one; else it is stuck."""
    step = draft.step_of(question)
    if step.overdue and question.command != step.overdue:
        ask_overdue(draft, question, step.overdue)
    elif not draft.saga.stuck:
        get_stuck_late(draft, draft.saga.resend.count if draft.saga.resend else 0)

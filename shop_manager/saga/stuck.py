"""Stuck Clerks, which need a person or a repair: how a Clerk becomes one, and goes on (E3, U5, P1, D3). Pure.

The kind follows what was heard last; the first moment stays (docs/decisions/121).
"""

from __future__ import annotations

from domain.ids import message_id
from domain.refusals import Refused
from shop_manager.saga.draft import Draft
from shop_manager.saga.state import Question, StuckKind

NO_REASON = Refused("refused", "the service gave no reason")


def get_stuck(draft: Draft, kind: StuckKind, why: Refused) -> None:
    """Mark the Clerk as stuck; one that is stuck already for another cause, or in other words, is so for this now."""
    question, stuck = draft.question, draft.saga.stuck
    if question is None:
        return
    cause = {"kind": kind, "service": draft.step_of(question).asks, **why.as_json()}
    if stuck is None:
        draft.write("stuck", question.step, **cause)
    elif (stuck.step, stuck.kind, stuck.code, stuck.detail) != (question.step, kind, why.code, why.detail):
        draft.write("stuck", question.step, **cause, since=stuck.since)


def get_stuck_late(draft: Draft, asked: int) -> None:
    """A step after the pivot is late: what was heard last says how. `asked`: how often the question went out again.

    A service that has said that it cannot is silent only when it has not answered `policy.undo_tries` times since.
    """
    question, heard = draft.question, draft.saga.last_heard
    if question is None:
        return
    service = draft.step_of(question).asks
    if question.failures and asked < draft.policy.undo_tries:
        get_stuck(draft, "overdue", Refused(heard.code, heard.detail) if heard else NO_REASON)
    elif question.waits_for:
        get_stuck(draft, "overdue", Refused("overdue", f"the {question.waits_for} has not acted in time"))
    else:
        get_stuck(draft, "no_answer", Refused("no_answer", f"{service} has not answered in time"))


def get_unstuck(draft: Draft) -> None:
    if draft.saga.stuck:
        draft.write("unstuck", draft.saga.stuck.step)


def note_parked(draft: Draft, command: str, service: str, reason: str) -> None:
    """A service has parked a command; if it is the outstanding one, nothing goes on without help (B2).

    Of a command that another service was asked, its word tells nothing (S13).
    """
    question = draft.question
    if question and command == id_of(draft, question) and draft.process.step(question.step).asks == service:
        get_stuck(draft, "parked_message", Refused("parked", f"{service} has parked the command: {reason}"[:500]))


def id_of(draft: Draft, question: Question) -> str:
    return message_id(draft.saga.id, question.step, question.attempt, question.direction)

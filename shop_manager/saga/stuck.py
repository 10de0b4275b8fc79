"""Stuck Clerks, which need a person or a repair: how a Clerk becomes one, and goes on (E3, U5, P1, D3). Pure."""

from __future__ import annotations

from domain.ids import message_id
from domain.refusals import Refused
from shop_manager.saga.draft import Draft
from shop_manager.saga.state import Question, StuckKind


def get_stuck(draft: Draft, kind: StuckKind, why: Refused) -> None:
    """Mark the Clerk as stuck. The first cause stays until the question is answered or asked anew."""
    question = draft.question
    if question is None or draft.saga.stuck:
        return
    service = draft.step_of(question).asks
    draft.write("stuck", question.step, kind=kind, service=service, **why.as_json())


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

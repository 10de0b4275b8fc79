"""One Clerk as operators read it: its line in the list, where it stands in shop words, and what can be done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from domain.times import to_wire
from shop_manager.operations.allowed import actions
from shop_manager.operations.clerk_line import line_of
from shop_manager.operations.headline import headline, owner
from shop_manager.operations.upcoming import coming_next, upcoming
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.asking import outgoing_document
from shop_manager.saga.state import Question, Saga
from shop_manager.sessions.view import progress, steps_of


def clerk_detail(saga: Saga, processes: ProcessRegistry, first_steps: Sequence[str], now: int) -> dict[str, Any]:
    """The Clerk's line and all that is known besides. `now` in ms.

    `headline`: one sentence; `owner`: whose the next move is (customer, warehouse, service, operator, nobody);
    `next`: what comes by itself (upcoming.py), or null; `actions`: see allowed.py.
    """
    process = processes.by_reference.get(saga.process)
    return {
        **line_of(saga, first_steps, now),
        "expires_at": to_wire(saga.expires_at),
        "past_the_pivot": saga.past_pivot,
        "ending": saga.ending,
        "failure": saga.failure,
        "progress": _progress(saga, steps_of(processes, saga)),
        "question": _question(saga.question),
        "deadlines": [each.as_json() for each in upcoming(saga, process, now)],
        "document": outgoing_document(saga),
        "headline": headline(saga, process, now),
        "owner": owner(saga),
        "next": coming_next(saga, process, now),
        "actions": actions(saga, process),
    }


def _progress(saga: Saga, steps: Sequence[str]) -> list[dict[str, Any]]:
    """As in the public session, with how often each step was asked."""
    lines = progress(saga, steps)
    for line in lines:
        known = saga.steps.get(line["step"])
        line["attempts"] = known.attempts if known else 0
    return lines


def _question(question: Question | None) -> dict[str, Any] | None:
    if question is None:
        return None
    moments = {
        "asked_at": to_wire(question.asked_at),
        "deadline": None if question.deadline is None else to_wire(question.deadline),
    }
    return {**asdict(question), **moments}

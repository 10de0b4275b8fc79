"""One Clerk as operators read it: its line in the list, where it stands in shop words, and what can be done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from domain.times import to_wire
from shop_manager.operations.allowed import actions
from shop_manager.operations.claim import Claim
from shop_manager.operations.clerk_line import line_of
from shop_manager.operations.headline import headline, owner
from shop_manager.operations.upcoming import coming_next, upcoming
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.asking import outgoing_document, resent_at
from shop_manager.saga.policy import Policy
from shop_manager.saga.state import Saga
from shop_manager.sessions.view import progress, steps_of


def clerk_detail(
    saga: Saga,
    processes: ProcessRegistry,
    first_steps: Sequence[str],
    now: int,
    *,
    policy: Policy,
    claim: Claim | None,
) -> dict[str, Any]:
    """The Clerk's line and all that is known besides. `now` in ms.

    `headline`: one sentence; `owner`: whose the next move is (customer, warehouse, service, operator, nobody);
    `next`: what comes by itself (upcoming.py), or null; `actions`: see allowed.py.
    """
    process = processes.by_reference.get(saga.process)
    return {
        **line_of(saga, first_steps, now, claim),
        "expires_at": to_wire(saga.expires_at),
        "past_the_pivot": saga.past_pivot,
        "ending": saga.ending,
        "failure": saga.failure,
        "progress": _progress(saga, steps_of(processes, saga)),
        "question": _question(saga, policy),
        "deadlines": [each.as_json() for each in upcoming(saga, process, now)],
        "document": outgoing_document(saga),
        "trace_id": trace_id(saga),
        "headline": headline(saga, process, now),
        "owner": owner(saga),
        "next": coming_next(saga, process, now),
        "actions": actions(saga, process),
    }


def trace_id(saga: Saga) -> str | None:
    """The W3C trace that the session was opened in, and all its messages carry: 32 hex digits."""
    return saga.traceparent.split("-")[1] if saga.traceparent else None


def _progress(saga: Saga, steps: Sequence[str]) -> list[dict[str, Any]]:
    """As in the public session, with how often each step was asked."""
    lines = progress(saga, steps)
    for line in lines:
        known = saga.steps.get(line["step"])
        line["attempts"] = known.attempts if known else 0
    return lines


def _question(saga: Saga, policy: Policy) -> dict[str, Any] | None:
    """`resent`: how often the same question went out again, and `resent_at` when last."""
    question = saga.question
    if question is None:
        return None
    moments = {"deadline": question.deadline, "resent_at": resent_at(policy, saga)}
    return {
        **asdict(question),
        "asked_at": to_wire(question.asked_at),
        "resent": saga.resend.count if saga.resend and not question.paused else 0,
        **{name: None if at is None else to_wire(at) for name, at in moments.items()},
    }

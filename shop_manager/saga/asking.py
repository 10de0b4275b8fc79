"""Asks a service: the first time, again without an answer (M4, T1), as a new attempt after "cannot now" (U5). Pure."""

from __future__ import annotations

import zlib
from dataclasses import replace

from domain.document import Document, part
from domain.messages import Command
from domain.refusals import Refused
from domain.times import to_wire
from shop_manager.processes.definition import Step, name_and_version
from shop_manager.saga.draft import Draft
from shop_manager.saga.policy import Policy
from shop_manager.saga.state import Question, Resend, Saga
from shop_manager.saga.stuck import get_stuck, get_stuck_late

BROUGHT_FOR = {"shop": "items", "payment": "payment"}
"""Which part of `clerk.brought` answers for the customer at which service."""


def ask(draft: Draft, step: Step) -> None:
    """Ask a step to be done; its limit is set now and never extended by asking again (T1)."""
    _pose(
        draft,
        step,
        Question(
            step=step.name,
            direction="do",
            attempt=1,
            command=step.do,
            asked_at=draft.now,
            deadline=limit_of(draft, step),
            waits_for=None if _is_answered_at_once(draft.saga, step) else step.waits_for,
        ),
    )


def ask_undo(draft: Draft, step: Step) -> None:
    """Ask for the undo of a step. It has no limit: it is asked until it is done (U5)."""
    _pose(draft, step, Question(step.name, "undo", 1, step.undo or "", draft.now, None, None))


def ask_overdue(draft: Draft, question: Question, command: str) -> None:
    """The limit of a step after the pivot has passed: ask what its process says for that case."""
    last_word = replace(question, command=command, attempt=question.attempt + 1, deadline=None, waits_for=None)
    _pose(draft, draft.step_of(question), last_word)


def ask_anew(draft: Draft, question: Question, **who: str) -> None:
    """The same question as a new attempt. `who`: `by` and `reason`, when an operator asks for it."""
    _pose(draft, draft.step_of(question), replace(question, attempt=question.attempt + 1), **who)


def limit_of(draft: Draft, step: Step) -> int | None:
    """A step's own limit from now on; None without one."""
    within = step.within and round(step.within * draft.policy.step_limit_factor)
    return draft.now + within if within else None


def resent_at(policy: Policy, saga: Saga) -> int | None:
    """When the open question went out again last (ms), without a new attempt; None when it has not.

    The timer that was set then tells it: a process with other pauses, as before a restart, was off by the difference.
    """
    question, resend = saga.question, saga.resend
    if question is None or resend is None or question.paused or not resend.count:
        return None
    return resend.at - pause(policy, saga.id, question, resend.count)


def _pose(draft: Draft, step: Step, question: Question, **who: str) -> None:
    draft.write(
        "asked",
        step.name,
        direction=question.direction,
        attempt=question.attempt,
        command=question.command,
        deadline=question.deadline,
        waits_for=question.waits_for,
        failures=question.failures,
        pivot=step.pivot,
        resend_at=draft.now + draft.policy.resend_first,
        **who,
    )
    send_question(draft)


def _is_answered_at_once(saga: Saga, step: Step) -> bool:
    """Does nobody have the turn at this step? The session has brought its answer, or there is nothing to pay."""
    free = step.waits_for == "customer" and step.asks == "payment" and part(saga.document, "order").get("total") == 0
    return free or _brought_along(saga, step)


def _brought_along(saga: Saga, step: Step) -> bool:
    """Did the session bring what this step would wait for? Then its answer comes at once (docs/decisions/004).

    After the pivot a card that is declined refuses nothing: there the customer has the turn, brought or not.
    """
    brought = part(saga.document, "clerk").get("brought") or {}
    return step.waits_for == "customer" and BROUGHT_FOR.get(step.asks, "") in brought and not saga.past_pivot


def send_question(draft: Draft) -> None:
    """Send the outstanding question; the same question is the same message id, however often it goes out."""
    question, saga = draft.question, draft.saga
    if question is None:
        return
    name, version = name_and_version(question.command)
    draft.send.append(
        Command(
            service=draft.step_of(question).asks,
            name=name,
            version=version,
            clerk=saga.id,
            step=question.step,
            attempt=question.attempt,
            direction=question.direction,
            document=outgoing_document(saga),
            sent_at=draft.now,
            deadline=_deadline_to_tell(draft, question),
            causation=f"{saga.id}/{saga.version}",
            traceparent=saga.traceparent,
        )
    )


def outgoing_document(saga: Saga) -> Document:
    """The document as services get it: with the Clerk's version and deadline of this moment."""
    head = {**saga.document["clerk"], "version": saga.version, "expires_at": to_wire(saga.expires_at)}
    return {**saga.document, "clerk": head}


def _deadline_to_tell(draft: Draft, question: Question) -> int | None:
    """After which moment nobody may act on the question (T2). From the pivot on, late is better than never."""
    saga = draft.saga
    if question.direction == "undo":
        return None
    if saga.past_pivot:
        return question.deadline if draft.step_of(question).overdue else None
    return min(saga.expires_at, question.deadline or saga.expires_at)


def ask_again_when_due(draft: Draft) -> None:
    """M4: no answer, so the same question goes out again; after "cannot now" it is a new attempt (U5)."""
    saga, question = draft.saga, draft.question
    if question is None or saga.resend is None or saga.resend.at > draft.now or draft.send:
        return
    if question.paused:
        ask_anew(draft, question)
        return
    count = saga.resend.count + 1
    if count >= draft.policy.undo_tries:
        _note_silence(draft, question, count)
    draft.resend_at(Resend(draft.now + pause(draft.policy, draft.saga.id, question, count), count))
    send_question(draft)


def _note_silence(draft: Draft, question: Question, count: int) -> None:
    """So often the question was sent without an answer. What is parked, or not known there, stays the cause."""
    stuck, silence = draft.saga.stuck, f"asked {draft.policy.undo_tries} times without an answer"
    if question.direction == "undo" and (stuck is None or stuck.kind == "undo_failing" or draft.saga.stuck_before):
        get_stuck(draft, "undo_failing", Refused("no_answer", silence))
    elif question.direction == "do" and stuck and stuck.kind == "overdue":
        get_stuck_late(draft, count)


def pause(policy: Policy, clerk: str, question: Question, count: int) -> int:
    """The time until the next resend, in ms: `resend_first`, then doubled each time up to `resend_most`, minus jitter.

    Where a person has the turn it doubles up to an hour: that is no silence of a service (docs/decisions/009). The
    jitter follows from the Clerk's id: nothing here is random.
    """
    most = policy.resend_most_person if question.waits_for else policy.resend_most
    jitter = zlib.crc32(f"{clerk}/{count}".encode()) % 200
    return min(policy.resend_first << min(count, 16), most) * (1000 - jitter) // 1000

"""Operators' acts: retry, undo, extend, settle, note; what follows, and when each is allowed (O1, O2). Pure."""

from __future__ import annotations

from dataclasses import replace

from domain.refusals import Refused
from domain.times import days, to_wire
from shop_manager.processes.definition import Process
from shop_manager.saga.asking import ask_anew, limit_of, send_question
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import (
    Act,
    Decision,
    Extend,
    Note,
    Operated,
    Retry,
    Settle,
    SettledOutcome,
    Undo,
)
from shop_manager.saga.replies import go_on
from shop_manager.saga.state import (
    BY_OPERATOR,
    HistoryEntry,
    Question,
    Saga,
    evolve,
)
from shop_manager.saga.stuck import get_unstuck, id_of
from shop_manager.saga.undoing import (
    PAST_THE_PIVOT,
    call_off,
    turn_around,
    undo_next,
)

LONGEST = days(90)
"""How far into the future a deadline may be moved: beyond it the year was mistyped."""
SILENT = ("overdue", "no_answer")
NAMES: dict[type[Act], str] = {Retry: "retry", Undo: "undo", Extend: "extend", Settle: "settle", Note: "note"}


def operate(draft: Draft, happening: Operated) -> Decision:
    """What follows from an operator's act; refused when a deadline came first, which is in `draft` already (T3)."""
    act, by, reason = happening.act, f"{BY_OPERATOR}{happening.by}", happening.reason
    if isinstance(act, Note):
        draft.write("note", text=act.text, by=by)
        return draft.decision()
    if draft.entries:
        return draft.decision(refused=Refused("version_conflict", "its deadline came first: look at it again"))
    refused = why_not(draft.saga, NAMES[type(act)]) or _why_not_so(draft, act)
    if refused:
        return draft.decision(refused=refused)
    match act:
        case Retry():
            _retry(draft, by, reason)
        case Undo():
            return call_off(draft, "canceled", by, reason)
        case Extend(until):
            _extend(draft, until, by, reason)
        case Settle():
            _settle(draft, act, by, reason)
    return draft.decision()


def note_after_the_end(saga: Saga, text: str, by: str, now: int) -> Decision:
    entry = HistoryEntry("note", now, None, {"text": text, "by": f"{BY_OPERATOR}{by}"})
    return Decision(evolve(saga, entry), [entry])


def why_not(saga: Saga, action: str) -> Refused | None:
    """Why an act is not allowed in the present state of a Clerk; None when it is."""
    if action == "note":
        return None
    if saga.ended:
        return Refused("session_ended", f"the order has ended, it is {saga.status}: only a note can be added")
    if action == "undo":
        return _why_not_undone(saga)
    if saga.question is None:
        return Refused("not_allowed_now", "nothing is asked")
    if action == "extend" and not deadlines_of(saga):
        return Refused("not_allowed_now", "what is asked now has no deadline")
    return None


def _why_not_undone(saga: Saga) -> Refused | None:
    if saga.status == "undoing":
        return Refused("not_allowed_now", "it is being undone already")
    return PAST_THE_PIVOT if saga.past_pivot else None


def deadlines_of(saga: Saga) -> list[int]:
    """The deadlines that an operator can move: the session's until the pivot, and the step's."""
    question = saga.question
    found = [saga.expires_at] if saga.status == "running" and not saga.past_pivot else []
    return found if question is None or question.deadline is None else [*found, question.deadline]


def outcomes_of(saga: Saga, process: Process) -> tuple[SettledOutcome, ...]:
    """As what the outstanding question can be settled: after the pivot nothing is refused any more."""
    question = saga.question
    if question is None:
        return ()
    if question.direction == "undo":
        return ("undone",)
    return ("done",) if saga.past_pivot and not process.step(question.step).pivot else ("done", "refused")


def _why_not_so(draft: Draft, act: Act) -> Refused | None:
    """What is wrong with the details of this act, when acts of its kind are allowed; None when nothing is."""
    saga, question = draft.saga, draft.question
    match act:
        case Retry(command) if command and question and command != id_of(draft, question):
            return Refused("not_allowed_now", "nobody waits for an answer to this message any more")
        case Extend(until) if not min(deadlines_of(saga)) < until <= draft.now + LONGEST:
            present = to_wire(min(deadlines_of(saga)))
            return Refused(
                "invalid_request", f"a moment after {present}, the present deadline, and within 90 days is needed"
            )
        case Settle(step, outcome) if question and step != question.step:
            return Refused("not_allowed_now", f"the open question is {question.step}, not {step}")
        case Settle(step, outcome) if outcome not in outcomes_of(saga, draft.process):
            allowed = " or ".join(outcomes_of(saga, draft.process))
            return Refused("not_allowed_now", f"{step} can be settled as {allowed} now, not as {outcome}")
    return None


def _retry(draft: Draft, by: str, reason: str) -> None:
    """The same question as a new attempt (O2). A deadline that has passed is set anew; any other stays.

    To be asked again heals nothing: a stuck Clerk stays so until it is answered.
    """
    question = draft.question
    if question is None:
        return
    over = question.deadline is not None and question.deadline <= draft.now
    deadline = limit_of(draft, draft.step_of(question)) if over else question.deadline
    ask_anew(draft, replace(question, deadline=deadline), by=by, reason=reason)


def _extend(draft: Draft, until: int, by: str, reason: str) -> None:
    saga, question = draft.saga, draft.question
    of_step = question.deadline if question else None
    draft.write(
        "deadlines_moved",
        question.step if question else None,
        expires_at=saga.expires_at if saga.past_pivot else max(saga.expires_at, until),
        deadline=None if of_step is None else max(of_step, until),
        why="an operator moved it",
        by=by,
        reason=reason,
    )
    if saga.past_pivot and saga.stuck and saga.stuck.code in SILENT:
        get_unstuck(draft)
    if question and not question.paused:  # the service holds the deadline too: it is told the new one
        send_question(draft)


def _settle(draft: Draft, act: Settle, by: str, reason: str) -> None:
    question = draft.question
    if question is None:
        return
    get_unstuck(draft)
    _write_settled(draft, question, act, by, reason)
    if act.outcome == "done":
        go_on(draft, draft.process.step(act.step))
    elif act.outcome == "undone":
        undo_next(draft)
    else:
        failure = {"code": "settled_by_hand", "detail": "an operator has settled it", "step": act.step}
        turn_around(draft, "failed", failure, by, reason)


def _write_settled(draft: Draft, question: Question, act: Settle, by: str, reason: str) -> None:
    draft.write(
        "settled",
        act.step,
        direction=question.direction,
        attempt=question.attempt,
        outcome=act.outcome,
        evidence=act.evidence,
        undo=act.undo,
        by=by,
        reason=reason,
    )

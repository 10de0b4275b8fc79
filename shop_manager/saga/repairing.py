"""What `clerk repair` may do to one Clerk, and what follows from it (docs/decisions/010). Pure.

A repair is no happening of the order: it meets no deadline, and the order goes no further by it. Each repair is a note
in the history.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.messages import Command
from domain.refusals import Refused
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step, name_and_version
from shop_manager.saga.asking import ask_anew, outgoing_document, pause, send_question
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import AskAgain, Decision, ListAnew, RepairAct, UndoAgain
from shop_manager.saga.policy import Policy
from shop_manager.saga.state import HistoryEntry, Resend, Saga, evolve

BY = "clerk repair"
MOVED_ON = Refused("not_allowed_now", "the Clerk has moved on: there is nothing to repair any more")


def is_repair(entry: HistoryEntry) -> bool:
    """Does this note say that an undo was asked once more?"""
    return entry.what == "note" and entry.data.get("by") == BY and "attempt" in entry.data


def repair(process: Process | None, saga: Saga, act: RepairAct, now: int, policy: Policy) -> Decision:
    """Refused when the Clerk has moved on. `process` is None when it was taken out after its last Clerk had ended."""
    match act:
        case UndoAgain(service, history):
            return _undo_again(process, saga, service, history, now)
        case AskAgain():
            return _ask_again(process, saga, now, policy)
        case ListAnew():
            return _noted(saga, HistoryEntry("note", now, None, _note("it is listed anew, as its own state says")))


def _undo_again(
    process: Process | None, saga: Saga, service: str, history: Sequence[HistoryEntry], now: int
) -> Decision:
    """The undo goes out under the next attempt, so that it is mistaken for none that was answered before."""
    step = _step_with_undo(process, service)
    if step is None or not saga.ended:
        return Decision(saga, refused=MOVED_ON)
    attempt = 1 + max((entry.data.get("attempt", 1) for entry in history if entry.step == step.name), default=1)
    text = f"{service} is asked once more to put its part back ({step.undo})"
    noted = _noted(saga, HistoryEntry("note", now, step.name, _note(text) | {"attempt": attempt, "direction": "undo"}))
    noted.send.append(_undo(noted.saga, step, attempt, now))
    return noted


def _ask_again(process: Process | None, saga: Saga, now: int, policy: Policy) -> Decision:
    """The open question goes out again under the same id and with new timers; a paused one as a new attempt."""
    question = saga.question
    if process is None or saga.ended or question is None:
        return Decision(saga, refused=MOVED_ON)
    draft = Draft(process, saga, now, policy)
    draft.write("note", question.step, **_note(f"{question.step} is asked once more"))
    if question.paused:
        ask_anew(draft, question)
    else:
        draft.resend_at(Resend(now + pause(draft.policy, draft.saga.id, question, 0)))
        send_question(draft)
    return draft.decision()


def _note(text: str) -> dict[str, object]:
    return {"text": text, "by": BY}


def _noted(saga: Saga, entry: HistoryEntry) -> Decision:
    return Decision(evolve(saga, entry), [entry])


def _step_with_undo(process: Process | None, service: str) -> Step | None:
    steps = process.steps if process else ()
    return next((step for step in steps if step.asks == service and step.undo not in (None, NOTHING_TO_UNDO)), None)


def _undo(saga: Saga, step: Step, attempt: int, now: int) -> Command:
    name, version = name_and_version(step.undo or "")
    return Command(
        service=step.asks,
        name=name,
        version=version,
        clerk=saga.id,
        step=step.name,
        attempt=attempt,
        direction="undo",
        document=outgoing_document(saga),
        sent_at=now,
        causation=f"{saga.id}/{saga.version}",
        traceparent=saga.traceparent,
    )

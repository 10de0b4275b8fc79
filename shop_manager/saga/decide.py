"""What follows when something happens to a Clerk: `decide(process, saga, happening, now, policy) → Decision`. Pure.

What the steps are is in processes/, how a history entry changes a saga in state.py. Each kind of rule has its module:
replies.py, asking.py, undoing.py, deadlines.py, stuck.py, amending.py, operator_acts.py.
"""

from __future__ import annotations

from domain.refusals import Refused
from shop_manager.processes.definition import Process
from shop_manager.saga.amending import amend
from shop_manager.saga.asking import ask, ask_again_when_due
from shop_manager.saga.deadlines import meet_deadlines
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import (
    Amended,
    Cancelled,
    Decision,
    Expired,
    Happening,
    Note,
    Operated,
    Parked,
    Replied,
    Started,
    Woke,
)
from shop_manager.saga.operator_acts import note_after_the_end, operate
from shop_manager.saga.policy import Policy
from shop_manager.saga.replies import take_reply
from shop_manager.saga.state import HistoryEntry, Saga, fold
from shop_manager.saga.stuck import note_parked
from shop_manager.saga.undoing import call_off


def start(process: Process, clerk: str, started: Started, now: int, policy: Policy) -> Decision:
    """The first decision of a Clerk: open it and ask the first step."""
    opened = HistoryEntry(
        "opened",
        now,
        data={
            "process": process.reference,
            "digest": process.digest,
            "chosen": started.chosen,
            "expires_at": started.expires_at,
            "document": started.document,
            "traceparent": started.traceparent,
        },
    )
    draft = Draft(process, fold(clerk, [opened]), now, policy)
    draft.entries.append(opened)
    ask(draft, process.steps[0])
    return draft.decision()


def decide(  # noqa: PLR0911  # one a happening
    process: Process, saga: Saga, happening: Happening, now: int, policy: Policy
) -> Decision:
    """What follows from one happening. It never raises for one that comes late, twice, or that nobody has asked for."""
    if saga.ended:
        return after_the_end(saga, happening, now)
    draft = Draft(process, saga, now, policy)
    meet_deadlines(draft)
    match happening:
        case Replied(reply):
            return take_reply(draft, reply)
        case Cancelled(by, reason):
            return call_off(draft, "canceled", by, reason)
        case Expired():
            return call_off(draft, "expired", "shop", "")
        case Amended(values, by):
            return amend(draft, values, by)
        case Operated():
            return operate(draft, happening)
        case Parked(command, service, reason):
            note_parked(draft, command, service, reason)
        case Woke():
            ask_again_when_due(draft)
    return draft.decision()


def after_the_end(saga: Saga, happening: Happening, now: int) -> Decision:
    """E1: after the end nothing changes any more; only notes are added."""
    match happening:
        case Operated(Note(text), by, _):
            return note_after_the_end(saga, text, by, now)
        case Operated() | Amended():
            granted = False
        case Replied():
            return Decision(saga, ignored=f"late: the Clerk has {saga.status} already")
        case Cancelled():
            granted = saga.status == "canceled"
        case Expired():
            granted = saga.status == "expired"
        case _:
            granted = True
    if granted:
        return Decision(saga)
    return Decision(
        saga, refused=Refused("session_ended", f"the session has ended, it is {saga.status}: open a new one")
    )

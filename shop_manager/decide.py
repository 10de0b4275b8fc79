"""What comes next: `decide(process, clerk, happening, now) → decision`, pure.

What the steps are is in processes/, how a saga changes in saga.py, and each kind of rule in deciding/.
"""

from __future__ import annotations

from domain.refusals import Refused
from shop_manager.deciding.answers import take
from shop_manager.deciding.asking import ask, ask_again_when_due
from shop_manager.deciding.deadlines import meet_deadlines
from shop_manager.deciding.draft import Draft
from shop_manager.deciding.operators import note_after_the_end, operate
from shop_manager.deciding.stuck import note_parked
from shop_manager.deciding.undoing import call_off
from shop_manager.happenings import (
    Cancelled,
    Decision,
    Expired,
    Happening,
    Note,
    Operated,
    Parked,
    Policy,
    Replied,
    Started,
    Woke,
)
from shop_manager.processes.definition import Process
from shop_manager.saga import Entry, Saga, fold


def start(process: Process, clerk: str, started: Started, now: int, policy: Policy) -> Decision:
    """The first decision of a Clerk: open it and ask the first step."""
    opened = Entry(
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


def decide(process: Process, saga: Saga, happening: Happening, now: int, policy: Policy) -> Decision:
    """What follows from one happening. Never raises for a happening that comes late, twice or uninvited."""
    if saga.ended:
        return after_the_end(saga, happening, now)
    draft = Draft(process, saga, now, policy)
    meet_deadlines(draft)
    match happening:
        case Replied(reply):
            return take(draft, reply)
        case Cancelled(by, reason):
            return call_off(draft, "canceled", by, reason)
        case Expired():
            return call_off(draft, "expired", "shop", "")
        case Operated():
            return operate(draft, happening)
        case Parked(command, service, reason):
            note_parked(draft, command, service, reason)
        case Woke():
            ask_again_when_due(draft)
    return draft.decision()


def after_the_end(saga: Saga, happening: Happening, now: int) -> Decision:
    """E1: an end absorbs everything; only notes are added."""
    match happening:
        case Operated(Note(text), by, _):
            return note_after_the_end(saga, text, by, now)
        case Operated():
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
    return Decision(saga, refused=Refused("session_ended", f"the session has ended: it is {saga.status}"))

"""Pure: a Clerk has ended, or waits for one thing and will be woken; its listed columns are true (I1, I12, I18)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.times import seconds, to_wire
from shop_manager.facts import HeartbeatFacts, listed
from shop_manager.saga.deadlines import wake_at
from shop_manager.saga.state import Saga
from verifier.facts import Facts
from verifier.repairs import ASK_AGAIN, BY_HAND, LIST_ANEW
from verifier.violation import Violation

AT_WORK_MS = seconds(10)
"""ShopManager writes a heartbeat every second; after so long without one it is not running."""
PATIENCE_MS = seconds(120)
"""How long something may be due, or an answer under way, before it counts as lost."""


def check_liveness(facts: Facts) -> Iterator[Violation]:
    yield from _waits_for_one_thing(facts)
    yield from _will_be_woken(facts)
    yield from _listed_columns(facts)


def _waits_for_one_thing(facts: Facts) -> Iterator[Violation]:
    saga = facts.saga
    if saga.ended:
        left = [name for name in ("question", "resend", "stuck") if getattr(saga, name) is not None]
        if left:
            yield Violation("I1", facts.id, f"nothing open after the end ({saga.status})", f"{left[0]} is set", BY_HAND)
    elif saga.question is None:
        yield Violation("I1", facts.id, "a live Clerk waits for exactly one answer", "it waits for nothing", BY_HAND)
    elif saga.resend is None:
        found = f"{_question(saga)} is outstanding and will never be asked again"
        yield Violation("I1", facts.id, "a live Clerk asks again while there is no answer", found, ASK_AGAIN)


def _will_be_woken(facts: Facts) -> Iterator[Violation]:
    """I12: the next deadline, or an earlier moment, stands on the row, and takes effect when its time has come."""
    saga, kept, due = facts.saga, facts.clerk.shown["wake_at"], wake_at(facts.saga)
    if (kept is None) != (due is None) or (kept is not None and due is not None and kept > due):
        repair = ASK_AGAIN if saga.question else LIST_ANEW
        yield Violation("I12", facts.id, f"to be looked at {_at(due)}", f"on the row: {_at(kept)}", repair)
    elif due is not None and is_over(facts, due):
        expected = f"to be looked at {_at(due)}"
        yield Violation("I12", facts.id, expected, "ShopManager is at work, and has not", ASK_AGAIN)


def is_over(facts: Facts, moment: int) -> bool:
    """Was there time enough since that moment? While ShopManager is not running, nothing counts as late (T5)."""
    heartbeat = facts.heartbeat
    return is_at_work(heartbeat) and heartbeat.now - max(moment, heartbeat.outage_end) > PATIENCE_MS


def is_at_work(heartbeat: HeartbeatFacts) -> bool:
    """Has ShopManager written a heartbeat lately?"""
    return heartbeat.now - heartbeat.beat_at <= AT_WORK_MS


def _listed_columns(facts: Facts) -> Iterator[Violation]:
    """I18: the columns that lists and figures are made of are those of the Clerk's state."""
    shown = facts.clerk.shown
    for name, value in listed(facts.saga).items():
        if name != "wake_at" and shown[name] != value:
            yield Violation("I18", facts.id, f"listed with {name} {value!r}", f"listed with {shown[name]!r}", LIST_ANEW)


def _question(saga: Saga) -> str:
    question = saga.question
    return f"{question.step}/{question.direction}" if question else "nothing"


def _at(moment: int | None) -> str:
    return "never" if moment is None else f"at {to_wire(moment)}"

"""I1, I12, I18 of one Clerk, pure: it has ended, or waits for one live reason and will be looked at again."""

from __future__ import annotations

from collections.abc import Iterator

from domain.times import seconds, to_wire
from shop_manager.audit import listed
from shop_manager.deciding.deadlines import wake_at
from shop_manager.saga import Saga
from verifier.drift import Drift
from verifier.facts import Facts
from verifier.remedies import ASK_AGAIN, BY_HAND, LIST_ANEW

AT_WORK_MS = seconds(10)
"""ShopManager beats every second; one that has not for so long is not running."""
PATIENCE_MS = seconds(120)
"""How long something may be due, or an answer under way, before it counts as lost."""


def check_reasons(facts: Facts) -> Iterator[Drift]:
    yield from _live_reason(facts)
    yield from _will_wake(facts)
    yield from _columns(facts)


def _live_reason(facts: Facts) -> Iterator[Drift]:
    saga = facts.saga
    if saga.ended:
        left = [name for name in ("question", "resend", "stuck") if getattr(saga, name) is not None]
        if left:
            yield Drift("I1", facts.id, f"nothing open after the end ({saga.status})", f"{left[0]} is set", BY_HAND)
    elif saga.question is None:
        yield Drift("I1", facts.id, "a live Clerk waits for exactly one answer", "it waits for nothing", BY_HAND)
    elif saga.resend is None:
        found = f"{_question(saga)} is outstanding and will never be asked again"
        yield Drift("I1", facts.id, "a live Clerk asks again while there is no answer", found, ASK_AGAIN)


def _will_wake(facts: Facts) -> Iterator[Drift]:
    """I12: a deadline is on the row until it took effect or was disarmed; and it takes effect when its time comes."""
    saga, kept, due = facts.saga, facts.clerk.shown["wake_at"], wake_at(facts.saga)
    if kept != due:
        repair = ASK_AGAIN if saga.question else LIST_ANEW
        yield Drift("I12", facts.id, f"to be looked at {_at(due)}", f"on the row: {_at(kept)}", repair)
    elif due is not None and is_over(facts, due):
        expected = f"to be looked at {_at(due)}"
        yield Drift("I12", facts.id, expected, "ShopManager is at work, and has not", ASK_AGAIN)


def is_over(facts: Facts, moment: int) -> bool:
    """Was there time enough since that moment? While ShopManager is not at work, nothing is anybody's fault (T5)."""
    pulse = facts.pulse
    at_work = pulse.now - pulse.beat_at <= AT_WORK_MS
    return at_work and pulse.now - max(moment, pulse.outage_end) > PATIENCE_MS


def _columns(facts: Facts) -> Iterator[Drift]:
    """I18: what lists and figures are made of is what the Clerk says."""
    shown = facts.clerk.shown
    for name, value in listed(facts.saga).items():
        if name != "wake_at" and shown[name] != value:
            yield Drift("I18", facts.id, f"listed with {name} {value!r}", f"listed with {shown[name]!r}", LIST_ANEW)


def _question(saga: Saga) -> str:
    question = saga.question
    return f"{question.step}/{question.direction}" if question else "nothing"


def _at(moment: int | None) -> str:
    return "never" if moment is None else f"at {to_wire(moment)}"

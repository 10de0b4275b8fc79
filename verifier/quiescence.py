"""Quiescence: nothing is in flight, no deadline is due and nothing is unsent, found so twice in a row."""

from __future__ import annotations

from messaging.facts import has_unsent
from payment_service import facts as payment_facts
from shop_manager import facts as manager_facts
from verifier.facts import Databases, Facts, gather
from verifier.messages import TECHNICAL_TABLES

PAGE = 200


def still_under_way(databases: Databases, now: int | None = None) -> str | None:
    """What is still under way, in one line; None when all is quiet. Clerks that are stuck or wait for a person rest.

    A broker's queues are not looked at, but a Clerk that waits for a service is not quiet, wherever the message is.
    """
    before = _mark(databases)
    first = _look(databases, now)
    if first is not None:
        return first
    second = _look(databases, now)
    if second is not None:
        return second
    return None if _mark(databases) == before else "Clerks have changed between two looks"


def _mark(databases: Databases) -> tuple[int, int]:
    with databases["shop_manager"].read() as tx:
        return manager_facts.live_mark(tx)


def _look(databases: Databases, now: int | None) -> str | None:
    for service, technical in TECHNICAL_TABLES.items():
        with databases[service].read() as tx:
            if has_unsent(tx, technical.outbox):
                return f"{service} has messages that are not known to be sent"
    with databases["payment"].read() as tx:
        key = payment_facts.in_flight(tx)
    if key:
        return f"the payment provider has not answered {key}"
    after = ""
    while True:
        with databases["shop_manager"].read() as tx:
            ids = manager_facts.live_after(tx, after, PAGE)
        if not ids:
            return None
        for facts in gather(databases, ids, now).facts:
            reason = _under_way(facts)
            if reason:
                return f"{facts.id}: {reason}"
        after = ids[-1]


def _under_way(facts: Facts) -> str | None:
    """Why a live Clerk is not quiet; None when it waits for a person, or is stuck."""
    saga, question = facts.saga, facts.saga.question
    if saga.ended or question is None:
        return None
    wake_at = facts.clerk.shown["wake_at"]
    if wake_at is not None and wake_at <= facts.heartbeat.now:
        return "a deadline, or the time to ask again, has come"
    if saga.stuck:
        return None
    if question.waits_for is None:
        return f"{question.step}/{question.direction} is not answered"
    step = facts.asked_step
    turn = facts.services.turns()[step.asks].get(step.name) if step else None
    if turn is None or turn.state != "waiting":
        return f"{question.step} has not yet come to, or back from, whoever is asked"
    return None

"""I8 and I15 over outboxes and parked messages: none came from nowhere, none was lost on its way to be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from domain.ids import message_id
from fulfillment_service import audit as fulfillment_audit
from messaging.audit import OutboxFacts, ParkedFacts, known_parked, read_outbox, read_parked
from messaging.envelope import unpack
from messaging.fields import Unreadable
from messaging.schema import Schema
from payment_service import audit as payment_audit
from risk_service import audit as risk_audit
from shop_manager import audit as manager_audit
from shop_manager.audit import PulseFacts
from shop_service import audit as shop_audit
from verifier.drift import Drift
from verifier.facts import Databases
from verifier.reasons import AT_WORK_MS, PATIENCE_MS
from verifier.remedies import BY_HAND, TELL_PARKED

SCHEMAS: Mapping[str, Schema] = {
    "shop_manager": manager_audit.schema,
    "shop": shop_audit.schema,
    "risk": risk_audit.schema,
    "payment": payment_audit.schema,
    "fulfillment": fulfillment_audit.schema,
}
PAGE = 100
Asked = tuple[str, str, int, str]
"""(clerk, step, attempt, direction) of a question."""


def check_messages(databases: Databases, pulse: PulseFacts) -> Iterator[Drift]:
    for service in SCHEMAS:
        for rows in outbox_pages(databases, service):
            yield from _from_nowhere(databases, service, rows)
    yield from _never_told(databases, pulse)


def outbox_pages(databases: Databases, service: str) -> Iterator[list[OutboxFacts]]:
    """All that a service has not sent, or not forgotten yet."""
    after = 0
    while True:
        with databases[service].read() as tx:
            rows = read_outbox(tx, SCHEMAS[service].outbox, after, PAGE)
        if not rows:
            return
        yield rows
        after = rows[-1].number


def parked_pages(databases: Databases, service: str) -> Iterator[list[ParkedFacts]]:
    """All that a service has parked."""
    after = ""
    while True:
        with databases[service].read() as tx:
            rows = read_parked(tx, SCHEMAS[service].parked, after, PAGE)
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _from_nowhere(databases: Databases, service: str, rows: Sequence[OutboxFacts]) -> Iterator[Drift]:
    """A command, or an answer to one, that the Clerk's history does not ask for."""
    found: list[Asked] = []
    for row in rows:
        try:
            found += [question for content in unpack(row.body) if (question := _asked(content))]
        except Unreadable as error:
            yield Drift("I8", None, f"{service} sends messages that can be read", str(error), BY_HAND)
    with databases["shop_manager"].read() as tx:
        asked = manager_audit.asked_ids(tx, sorted({clerk for clerk, *_ in found}))
    for clerk, step, attempt, direction in sorted(set(found) - asked):
        name = message_id(clerk, step, attempt, direction)
        expected = f"{service} sends what is asked, or answers it"
        yield Drift("I8", clerk, expected, f"its outbox has {name}, which was never asked", BY_HAND)


def _asked(content: Any) -> Asked | None:
    """The question that a message is, or answers; None for a notice."""
    if not isinstance(content, dict) or content.get("kind") == "notice":
        return None
    return str(content.get("clerk")), str(content.get("step")), content.get("attempt", 0), str(content.get("direction"))


def _never_told(databases: Databases, pulse: PulseFacts) -> Iterator[Drift]:
    """What a service has parked is visible to operators, who look at ShopManager."""
    for service, rows in untold_pages(databases, pulse):
        for row in rows:
            expected = f"ShopManager knows of {row.id}, parked by {service}"
            clerk = row.message.split("/", 1)[0] if row.message else None
            yield Drift("I8", clerk, expected, "it does not, and no notice of it is under way", TELL_PARKED)


def untold_pages(databases: Databases, pulse: PulseFacts) -> Iterator[tuple[str, list[ParkedFacts]]]:
    """By service: what it has parked, and ShopManager, being at work, has not heard of."""
    if pulse.now - pulse.beat_at > AT_WORK_MS:
        return  # nobody is there to be told
    for service in SCHEMAS:
        for rows in parked_pages(databases, service) if service != "shop_manager" else ():
            yield service, untold(databases, rows, pulse)


def untold(databases: Databases, rows: Sequence[ParkedFacts], pulse: PulseFacts) -> list[ParkedFacts]:
    """Those of a service's parked messages that ShopManager should have heard of long ago, and has not."""
    old = [row for row in rows if pulse.now - max(row.first_at, pulse.outage_end) > PATIENCE_MS]
    if not old:
        return []
    with databases["shop_manager"].read() as tx:
        told = known_parked(tx, SCHEMAS["shop_manager"].parked, [row.id for row in old])
    return [row for row in old if row.id not in told and not _is_being_told(databases, row)]


def _is_being_told(databases: Databases, row: ParkedFacts) -> bool:
    name = row.id.encode()
    return any(name in each.body for rows in outbox_pages(databases, row.service) for each in rows)


def check_parked(databases: Databases, expected: Collection[str]) -> Iterator[Drift]:
    """I15: parked is exactly what was put in, by the ids of the parked messages."""
    found = {row.id: row for service in SCHEMAS for rows in parked_pages(databases, service) for row in rows}
    for name in sorted(set(expected) - found.keys()):
        yield Drift("I15", None, f"{name} is parked", "it is not", BY_HAND)
    for name in sorted(found.keys() - set(expected)):
        row = found[name]
        what = f"{name} is, at {row.service}: {row.message or 'unreadable'}: {row.reason}"
        yield Drift("I15", None, "nothing else is parked", what[:300], BY_HAND)

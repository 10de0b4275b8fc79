"""Messages in outboxes were asked for, and parked ones are known to ShopManager, or were expected (I8, I15)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table

from domain.ids import message_id
from fulfillment_service import facts as fulfillment_facts
from messaging.database import Database, Tx
from messaging.envelope import unpack
from messaging.facts import OutboxFacts, ParkedFacts, known_parked, read_outbox, read_parked
from messaging.fields import DecodeError
from messaging.technical_tables import TechnicalTables
from payment_service import facts as payment_facts
from risk_service import facts as risk_facts
from shop_manager import facts as manager_facts
from shop_manager.facts import HeartbeatFacts
from shop_service import facts as shop_facts
from verifier.facts import Databases
from verifier.liveness import PATIENCE_MS, is_at_work
from verifier.repairs import BY_HAND, TELL_PARKED
from verifier.violation import Violation

TECHNICAL_TABLES: Mapping[str, TechnicalTables] = {
    "shop_manager": manager_facts.technical,
    "shop": shop_facts.technical,
    "risk": risk_facts.technical,
    "payment": payment_facts.technical,
    "fulfillment": fulfillment_facts.technical,
}
PAGE = 100
KeyT = TypeVar("KeyT")
RowT = TypeVar("RowT")
QuestionKey = tuple[str, str, int, str]
"""(clerk, step, attempt, direction) of a question."""


def check_messages(databases: Databases, heartbeat: HeartbeatFacts) -> Iterator[Violation]:
    for service in TECHNICAL_TABLES:
        for rows in outbox_pages(databases, service):
            yield from _never_asked(databases, service, rows)
    yield from _unknown_to_manager(databases, heartbeat)


def outbox_pages(databases: Databases, service: str) -> Iterator[list[OutboxFacts]]:
    """The rows of a service's outbox: not sent, or sent and not deleted yet."""
    return _pages(databases[service], read_outbox, TECHNICAL_TABLES[service].outbox, 0, lambda row: row.number)


def parked_pages(databases: Databases, service: str) -> Iterator[list[ParkedFacts]]:
    """All that a service has parked."""
    return _pages(databases[service], read_parked, TECHNICAL_TABLES[service].parked, "", lambda row: row.id)


def _pages(
    database: Database,
    read: Callable[[Tx, Table, KeyT, int], list[RowT]],
    table: Table,
    after: KeyT,
    key_of: Callable[[RowT], KeyT],
) -> Iterator[list[RowT]]:
    """All rows of a table in pages, ordered by their key; each page is read in a transaction of its own."""
    while True:
        with database.read() as tx:
            rows = read(tx, table, after, PAGE)
        if not rows:
            return
        yield rows
        after = key_of(rows[-1])


def _never_asked(databases: Databases, service: str, rows: Sequence[OutboxFacts]) -> Iterator[Violation]:
    """Commands that no Clerk's history asks for, and replies to such."""
    found: list[QuestionKey] = []
    for row in rows:
        try:
            found += [question for content in unpack(row.body) if (question := _asked(content))]
        except DecodeError as error:
            yield Violation("I8", None, f"{service} sends messages that can be read", str(error), BY_HAND)
    with databases["shop_manager"].read() as tx:
        asked = manager_facts.asked_ids(tx, sorted({clerk for clerk, *_ in found}))
    for clerk, step, attempt, direction in sorted(set(found) - asked):
        name = message_id(clerk, step, attempt, direction)
        expected = f"{service} sends what is asked, or answers it"
        yield Violation("I8", clerk, expected, f"its outbox has {name}, which was never asked", BY_HAND)


def _asked(content: Any) -> QuestionKey | None:
    """The question that a message asks or answers; None for a notice of a parked message."""
    if not isinstance(content, dict) or content.get("kind") == "notice":
        return None
    return str(content.get("clerk")), str(content.get("step")), content.get("attempt", 0), str(content.get("direction"))


def _unknown_to_manager(databases: Databases, heartbeat: HeartbeatFacts) -> Iterator[Violation]:
    """What a service has parked must be known to ShopManager, because operators look there."""
    for service, rows in untold_pages(databases, heartbeat):
        for row in rows:
            expected = f"ShopManager knows of {row.id}, parked by {service}"
            clerk = row.message.split("/", 1)[0] if row.message else None
            yield Violation("I8", clerk, expected, "it does not, and no notice of it is under way", TELL_PARKED)


def untold_pages(databases: Databases, heartbeat: HeartbeatFacts) -> Iterator[tuple[str, list[ParkedFacts]]]:
    """By service: what it has parked and ShopManager, although it is running, does not know."""
    if not is_at_work(heartbeat):
        return
    for service in TECHNICAL_TABLES:
        for rows in parked_pages(databases, service) if service != "shop_manager" else ():
            yield service, untold(databases, rows, heartbeat)


def untold(databases: Databases, rows: Sequence[ParkedFacts], heartbeat: HeartbeatFacts) -> list[ParkedFacts]:
    """Those of a service's parked messages that ShopManager should know for long, and does not."""
    old = [row for row in rows if heartbeat.now - max(row.first_at, heartbeat.outage_end) > PATIENCE_MS]
    if not old:
        return []
    with databases["shop_manager"].read() as tx:
        known = known_parked(tx, TECHNICAL_TABLES["shop_manager"].parked, [row.id for row in old])
    return [row for row in old if row.id not in known and not _is_notice_under_way(databases, row)]


def _is_notice_under_way(databases: Databases, row: ParkedFacts) -> bool:
    name = row.id.encode()
    return any(name in each.body for rows in outbox_pages(databases, row.service) for each in rows)


def check_parked(databases: Databases, expected: Collection[str]) -> Iterator[Violation]:
    """I15: parked is exactly what was put in, by the ids of the parked messages."""
    found = {row.id: row for service in TECHNICAL_TABLES for rows in parked_pages(databases, service) for row in rows}
    for name in sorted(set(expected) - found.keys()):
        yield Violation("I15", None, f"{name} is parked", "it is not", BY_HAND)
    for name in sorted(found.keys() - set(expected)):
        row = found[name]
        what = f"{name} is, at {row.service}: {row.message or 'unreadable'}: {row.reason}"
        yield Violation("I15", None, "nothing else is parked", what[:300], BY_HAND)

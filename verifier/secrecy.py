"""No card number and no secret in any text of any database (I16). Slow: it reads every text there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import MetaData

from fulfillment_service import facts as fulfillment_facts
from http_api.card_numbers import find_card_number
from messaging.facts import texts
from payment_service import facts as payment_facts
from risk_service import facts as risk_facts
from shop_manager import facts as manager_facts
from shop_service import facts as shop_facts
from verifier.facts import Databases
from verifier.repairs import Repair
from verifier.stored_texts import holds_card_number
from verifier.violation import Violation

REPAIR = Repair("by hand: take it out of the row, and find out how it came in")
METADATA: Mapping[str, MetaData] = {
    "shop_manager": manager_facts.metadata,
    "shop": shop_facts.metadata,
    "risk": risk_facts.metadata,
    "payment": payment_facts.metadata,
    "fulfillment": fulfillment_facts.metadata,
}


def check_secrecy(databases: Databases, planted: Sequence[str]) -> Iterator[Violation]:
    """What is found is never repeated: a violation names the place only."""
    for service, metadata in METADATA.items():
        with databases[service].read() as tx:
            for each in texts(tx, metadata):
                row = "(not shown)" if find_card_number(each.row) else each.row
                place = f"{service}: {each.place} of row {row}"
                if holds_card_number(each.column, each.text, each.beside):
                    yield Violation("I16", None, "no card number anywhere", place, REPAIR)
                if any(secret in each.text for secret in planted):
                    yield Violation("I16", None, "no secret anywhere", place, REPAIR)

"""I16: no card number and no planted secret in any text of any database. Slow: it reads every text there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import MetaData

from doors.cards import find_card_number
from fulfillment_service import audit as fulfillment_audit
from messaging.audit import texts
from payment_service import audit as payment_audit
from risk_service import audit as risk_audit
from shop_manager import audit as manager_audit
from shop_service import audit as shop_audit
from verifier.drift import Drift
from verifier.facts import Databases

REPAIR = "by hand: take it out of the row, and find out how it came in"
METADATA: Mapping[str, MetaData] = {
    "shop_manager": manager_audit.metadata,
    "shop": shop_audit.metadata,
    "risk": risk_audit.metadata,
    "payment": payment_audit.metadata,
    "fulfillment": fulfillment_audit.metadata,
}


def check_secrecy(databases: Databases, planted: Sequence[str]) -> Iterator[Drift]:
    """What is found is never repeated: a drift names the place only."""
    for service, metadata in METADATA.items():
        with databases[service].read() as tx:
            for each in texts(tx, metadata):
                place = f"{service}: {each.place} of row {each.row}"
                if find_card_number(each.text):
                    yield Drift("I16", None, "no card number anywhere", place, REPAIR)
                if any(secret in each.text for secret in planted):
                    yield Drift("I16", None, "no secret anywhere", place, REPAIR)

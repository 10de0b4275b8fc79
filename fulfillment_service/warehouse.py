"""The automatic warehouse: ships by itself what it was asked for some time ago."""

from __future__ import annotations

import hashlib

from sqlalchemy import bindparam, select

from domain.times import seconds
from fulfillment_service.shipment import Shipment, ShippingLabel
from fulfillment_service.store import has_status, shipments
from fulfillment_service.use_cases import ShippingUseCases
from messaging.database_time import NOW

CARRIER = "Auto Dog Sled"
AT_ONCE = 200
"""Shipments in one transaction, at most."""


def sled_label(session: str) -> ShippingLabel:
    """The automatic warehouse's label: the same for the same session, however often it is asked."""
    number = hashlib.blake2b(session.encode(), digest_size=6).hexdigest().upper()
    return ShippingLabel(CARRIER, f"SLED-{number}")


def ship_due(shipping: ShippingUseCases, auto_after: float) -> int:
    """Ship what was asked for at least `auto_after` seconds ago, up to 200; returns how many shipments left."""
    with shipping.database.look() as tx:
        due = [row.session for row in tx.execute(_DUE, {"after": seconds(auto_after)})]
    if not due:
        return 0
    outcomes = shipping.ship({session: sled_label(session) for session in due})
    return sum(1 for outcome in outcomes.values() if isinstance(outcome, Shipment))


_DUE = (
    select(shipments.c.session)
    .where(has_status("requested"), shipments.c.asked_at <= NOW - bindparam("after"))
    .order_by(shipments.c.asked_at, shipments.c.session)
    .limit(AT_ONCE)
)

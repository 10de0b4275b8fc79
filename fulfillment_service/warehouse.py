"""The automatic warehouse: ships by itself what it was asked for a moment ago; and the demo shop's stock."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from sqlalchemy import bindparam, select

from domain.times import seconds
from fulfillment_service.dock import Dock
from fulfillment_service.shipment import Label, Shipment
from fulfillment_service.stock import Stock
from fulfillment_service.store import shipments, stock
from messaging.database import Tx

CARRIER = "Auto Dog Sled"
AT_ONCE = 200
"""Shipments in one transaction."""
PIECES = {
    "SQUEAKY-BONE": 1000,
    "SQUEAKY-DUCK": 100,
    "SQUEAKY-CARROT": 100,
    "SQUEAKY-HEDGEHOG": 100,
    "SQUEAKY-POSTMAN": 100,
    "SILENT-BALL": 100,
}
"""What the demo shop has in stock: the physical articles of the shop's own demo shelf."""


def sled_label(session: str) -> Label:
    """The automatic warehouse's label: the same for the same session, however often it is asked."""
    number = hashlib.blake2b(session.encode(), digest_size=6).hexdigest().upper()
    return Label(CARRIER, f"SLED-{number}")


def ship_due(dock: Dock, auto_after: float) -> int:
    """Ship what was asked for at least `auto_after` seconds ago, up to 200; returns how many shipments left."""
    with dock.database.read() as tx:
        due = _due(tx, tx.now() - seconds(auto_after))
    if not due:
        return 0
    outcomes = dock.ship({session: sled_label(session) for session in due})
    return sum(1 for outcome in outcomes.values() if isinstance(outcome, Shipment))


_DUE = (
    select(shipments.c.session)
    .where(shipments.c.status == "requested", shipments.c.asked_at <= bindparam("asked_before"))
    .order_by(shipments.c.session)
    .limit(AT_ONCE)
)


def _due(tx: Tx, asked_before: int) -> list[str]:
    return [row.session for row in tx.execute(_DUE, {"asked_before": asked_before})]


def fill(tx: Tx) -> None:
    """Put the demo stock into an empty warehouse; one that has anything stays as it is."""
    if tx.execute(select(stock.c.sku).limit(1)).first() is None:
        tx.insert(stock, [asdict(Stock(sku, on_hand)) for sku, on_hand in PIECES.items()])

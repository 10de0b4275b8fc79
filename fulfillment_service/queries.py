"""What the HTTP routes read and change in the tables: one article's stock, and the warehouse's list of shipments."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select, tuple_

from fulfillment_service.shipment import PublicShipmentStatus, Shipment, ShipmentStatus
from fulfillment_service.stock import Stock
from fulfillment_service.store import LISTED, has_status, shipments, stock, stock_adjustments, with_items
from messaging.database import Tx


def stock_of(tx: Tx, sku: str) -> Stock | None:
    """One article's stock at the moment; None for an article that was never in stock."""
    row = tx.execute(select(stock).where(stock.c.sku == sku)).first()
    return None if row is None else Stock(row.sku, row.on_hand, row.reserved, row.shipped)


def set_on_hand(tx: Tx, sku: str, on_hand: int) -> None:
    """Count an article anew; what is reserved and shipped stays so."""
    tx.upsert(stock, [asdict(Stock(sku, on_hand))], ["sku"], keep=["reserved", "shipped"])


def read_adjustment(tx: Tx, sku: str, reference: str) -> int | None:
    """By how many pieces the article was adjusted under this reference; None when it never was."""
    kept = stock_adjustments.c
    row = tx.execute(select(kept.delta).where(kept.sku == sku, kept.reference == reference)).first()
    return None if row is None else int(row.delta)


def list_shipments(
    tx: Tx, status: PublicShipmentStatus, after: tuple[int, str], before: int, most: int
) -> list[Shipment]:
    """At most so many shipments, in the order in which they came to the status: those after the place `after`, a
    (moment, session), and before the moment `before`; allocated ones only when the warehouse has been asked.
    """
    kept: ShipmentStatus = "requested" if status == "allocated" else status
    moment, session = LISTED[kept], shipments.c.session
    listed = select(shipments).where(has_status(kept), tuple_(moment, session) > after, moment < before)
    rows = tx.execute(listed.order_by(moment, session).limit(most))
    return list(with_items(tx, rows.all()).values())

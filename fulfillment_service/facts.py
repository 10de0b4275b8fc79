"""Fulfillment's facts for `clerk verify`: each Clerk's shipment, and the stock of each article; read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from fulfillment_service.shipment import ShipmentStatus
from fulfillment_service.store import metadata, shipment_items, shipments, stock, technical, turns, with_items
from messaging.database import Tx
from messaging.facts import TurnFacts, ids_after, read_turns, rows_of

__all__ = [
    "NOTHING",
    "FulfillmentFacts",
    "ShipmentFacts",
    "StockFacts",
    "metadata",
    "read",
    "read_stock_facts",
    "sessions_after",
    "technical",
]
HELD: Sequence[ShipmentStatus] = ("allocated", "requested")
_SUMS = (
    select(shipment_items.c.sku, shipments.c.status.in_(HELD).label("held"), func.sum(shipment_items.c.quantity))
    .join(shipments, shipments.c.session == shipment_items.c.session)
    .where(shipments.c.status.in_((*HELD, "shipped")))
    .group_by(shipment_items.c.sku, "held")
)
_STOCK = select(stock)
_SHIPMENTS = select(shipments)


@dataclass(frozen=True, slots=True)
class ShipmentFacts:
    """A Clerk's goods. `section`: what the document should say of them; `pieces` by sku."""

    status: ShipmentStatus
    secret_sha256: str
    section: Mapping[str, Any]
    pieces: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FulfillmentFacts:
    """All that fulfillment has of one Clerk."""

    turns: Mapping[str, TurnFacts] = field(default_factory=dict)
    shipment: ShipmentFacts | None = None


NOTHING = FulfillmentFacts()


@dataclass(frozen=True, slots=True)
class StockFacts:
    """Pieces of one article as counted, and as all shipments together have them."""

    sku: str
    on_hand: int
    reserved: int
    shipped: int
    in_allocations: int
    in_shipments: int


def sessions_after(tx: Tx, after: str, most: int) -> list[str]:
    """The next Clerks that fulfillment has anything of."""
    return ids_after(tx, (turns.c.clerk, shipments.c.session, shipment_items.c.session), after, most)


def read(tx: Tx, clerks: Sequence[str]) -> dict[str, FulfillmentFacts]:
    """The facts about those of the Clerks that fulfillment has anything of."""
    its_turns = read_turns(tx, turns, clerks)
    kept = with_items(tx, rows_of(tx, _SHIPMENTS, shipments.c.session, clerks))
    return {
        clerk: FulfillmentFacts(
            its_turns.get(clerk, {}),
            ShipmentFacts(
                kept[clerk].status,
                kept[clerk].secret_sha256,
                kept[clerk].section(),
                {item.sku: item.quantity for item in kept[clerk].items},
            )
            if clerk in kept
            else None,
        )
        for clerk in its_turns.keys() | kept.keys()
    }


def read_stock_facts(tx: Tx) -> list[StockFacts]:
    """Every article that is in stock or in a shipment, from one consistent picture."""
    sums = {(sku, held): int(quantity) for sku, held, quantity in tx.execute(_SUMS)}
    counted = {row.sku: (row.on_hand, row.reserved, row.shipped) for row in tx.execute(_STOCK)}
    return [
        StockFacts(sku, *counted.get(sku, (0, 0, 0)), sums.get((sku, True), 0), sums.get((sku, False), 0))
        for sku in sorted(counted.keys() | {sku for sku, _ in sums})
    ]

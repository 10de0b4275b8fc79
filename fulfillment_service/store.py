"""Where stock and shipments are kept: the tables, and the records of a batch, with one query a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
    select,
)

from domain.messages import Command
from fulfillment_service.clerk_document import items_to_ship
from fulfillment_service.shipment import Recipient, Shipment, ShipmentItem, ShipmentStatus
from fulfillment_service.stock import Stock
from http_api.keys import key_tables
from messaging.database import Tx
from messaging.records import as_row
from messaging.statements import KEYS
from messaging.technical_tables import technical_tables
from messaging.turns import turns_table

metadata = MetaData()
technical = technical_tables(metadata)
key_tables(metadata)
turns = turns_table(metadata)
stock = Table(
    "stock",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("shipped", BigInteger, nullable=False),
)
shipments = Table(
    "shipments",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("carrier", String(100)),
    Column("tracking", String(200)),
    Column("step", String(128)),
    Column("asked_at", BigInteger),
    Column("shipped_at", BigInteger),
    Column("ended_at", BigInteger, nullable=False, server_default="0"),  # processes of before do not know it
    Column("name", Text),
    Column("shipping_address", Text),
)


LISTED: Mapping[ShipmentStatus, Column[Any]] = {
    "requested": shipments.c.asked_at,
    "shipped": shipments.c.shipped_at,
    "released": shipments.c.ended_at,
    "delivered": shipments.c.ended_at,
}
"""The statuses by which shipments can be listed, and the column that says when one came to it."""


def has_status(status: ShipmentStatus) -> ColumnElement[bool]:
    """With the status in the statement's text, so that the index of this status can be used."""
    return shipments.c.status == literal_column(f"'{status}'")


for _status, _moment in LISTED.items():
    Index(
        f"ix_shipments_{_status}",
        _moment,
        shipments.c.session,
        sqlite_where=has_status(_status),
        postgresql_where=has_status(_status),
    )
stock_adjustments = Table(
    "stock_adjustments",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("reference", String(128), primary_key=True),
    Column("delta", BigInteger, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("adjusted_at", BigInteger, nullable=False),
)
shipment_items = Table(
    "shipment_items",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("sku", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("quantity", Integer, nullable=False),
)


class FulfillmentUnitOfWork:
    """Stock and shipments of one batch, read at once, changed in memory, saved at once."""

    def __init__(self, pieces: dict[str, Stock], kept: dict[str, Shipment]) -> None:
        self.stock = pieces
        self._shipments = kept
        self._known = set(kept)
        self._moved: set[str] = set()
        self._changed: set[str] = set()

    def shipment(self, session: str) -> Shipment | None:
        return self._shipments.get(session)

    def keep(self, shipment: Shipment) -> None:
        self._shipments[shipment.session] = shipment
        self._changed.add(shipment.session)

    def move(self, moved: Stock) -> None:
        """The article's pieces as they are now."""
        self.stock[moved.sku] = moved
        self._moved.add(moved.sku)

    def save(self, tx: Tx) -> None:
        fresh, changed = self._of(self._changed - self._known), self._of(self._changed & self._known)
        tx.upsert(stock, [as_row(self.stock[sku]) for sku in sorted(self._moved)], ["sku"])
        tx.insert(shipments, [_shipment_row(shipment) for shipment in fresh])
        tx.update(shipments, [_shipment_row(shipment) for shipment in changed], ["session"])
        tx.insert(shipment_items, [row for shipment in fresh for row in _item_rows(shipment)])

    def _of(self, sessions: Iterable[str]) -> list[Shipment]:
        return [self._shipments[session] for session in sorted(sessions)]


def open_unit_of_work(tx: Tx, commands: Sequence[Command], ships_at_once: bool) -> FulfillmentUnitOfWork:
    """The records that a batch of commands concerns."""
    kept = read_shipments(tx, {command.clerk for command in commands})
    wanted = {item.sku for command in commands if command.name == "AllocateStock" for item in items_to_ship(command)}
    moving = {"ReleaseStock", "ShipOrder"} if ships_at_once else {"ReleaseStock"}
    touched = {command.clerk for command in commands if command.name in moving}
    wanted |= {item.sku for session in touched & kept.keys() for item in kept[session].items}
    return FulfillmentUnitOfWork(read_stock(tx, wanted), kept)


_STOCK = select(stock).where(stock.c.sku.in_(KEYS)).order_by(stock.c.sku).with_for_update()
_SHIPMENTS = select(shipments).where(shipments.c.session.in_(KEYS))
_LINES = shipment_items.c
_ITEMS = select(shipment_items).where(_LINES.session.in_(KEYS)).order_by(_LINES.session, _LINES.line)


def read_stock(tx: Tx, skus: Iterable[str]) -> dict[str, Stock]:
    """The articles' stock, by sku, locked until the transaction ends.

    PostgreSQL locks the rows, always in the order of the skus, so that nothing is sold twice and no two transactions
    wait for each other. That covers also what an undo gives back, which only our records name, not the command.
    """
    wanted = sorted(set(skus))
    if not wanted:
        return {}
    rows = tx.execute(_STOCK, {"keys": wanted})
    return {row.sku: Stock(row.sku, row.on_hand, row.reserved, row.shipped) for row in rows}


def read_shipments(tx: Tx, sessions: Iterable[str]) -> dict[str, Shipment]:
    """The sessions' shipments with their items, by session."""
    wanted = sorted(set(sessions))
    rows = tx.execute(_SHIPMENTS, {"keys": wanted}).all() if wanted else []
    return with_items(tx, rows)


def with_items(tx: Tx, rows: Sequence[Any]) -> dict[str, Shipment]:
    """Rows of `shipments` as shipments, by session and in their order; takes one query more, none without rows."""
    items: dict[str, list[ShipmentItem]] = {row.session: [] for row in rows}
    if items:
        for each in tx.execute(_ITEMS, {"keys": sorted(items)}):
            items[each.session].append(ShipmentItem(each.sku, each.name, each.quantity))
    return {row.session: _as_shipment(row, items[row.session]) for row in rows}


def _as_shipment(row: Any, items: Sequence[ShipmentItem]) -> Shipment:
    return Shipment(
        session=row.session,
        secret_sha256=row.secret_sha256,
        status=row.status,
        items=items,
        carrier=row.carrier,
        tracking=row.tracking,
        step=row.step,
        asked_at=row.asked_at,
        shipped_at=row.shipped_at,
        ended_at=row.ended_at,
        recipient=Recipient(row.name, orjson.loads(row.shipping_address)) if row.shipping_address else None,
    )


def _shipment_row(shipment: Shipment) -> dict[str, Any]:
    to = shipment.recipient
    return {
        "session": shipment.session,
        "secret_sha256": shipment.secret_sha256,
        "status": shipment.status,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "step": shipment.step,
        "asked_at": shipment.asked_at,
        "shipped_at": shipment.shipped_at,
        "ended_at": shipment.ended_at,
        "name": to and to.name,
        "shipping_address": to and orjson.dumps(to.shipping_address).decode(),
    }


def _item_rows(shipment: Shipment) -> list[dict[str, Any]]:
    return [
        {
            "session": shipment.session,
            "line": number,
            "sku": item.sku,
            "name": item.name,
            "quantity": item.quantity,
        }
        for number, item in enumerate(shipment.items, start=1)
    ]

"""Where stock and shipments are kept: tables and queries, one of each a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, select

from domain.messages import Command
from doors.keys import key_tables
from fulfillment_service.request import ordered_items
from fulfillment_service.shipment import Item, PublicStatus, Shipment
from fulfillment_service.stock import Stock
from messaging.database import KEYS, Tx
from messaging.schema import technical_tables
from messaging.turns import turns_table

metadata = MetaData()
schema = technical_tables(metadata)
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
    Index("ix_shipments_status_session", "status", "session"),
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


class FulfillmentBooks:
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
        changed = [self._shipments[session] for session in sorted(self._changed)]
        tx.upsert(stock, [asdict(self.stock[sku]) for sku in sorted(self._moved)], ["sku"])
        tx.upsert(shipments, [_shipment_row(shipment) for shipment in changed], ["session"])
        fresh = [shipment for shipment in changed if shipment.session not in self._known]
        tx.insert(shipment_items, [row for shipment in fresh for row in _item_rows(shipment)])


def open_books(tx: Tx, commands: Sequence[Command], ships_at_once: bool) -> FulfillmentBooks:
    """The records that a batch of commands concerns."""
    kept = read_shipments(tx, {command.clerk for command in commands})
    wanted = {item.sku for command in commands if command.name == "AllocateStock" for item in ordered_items(command)}
    moving = {"ReleaseStock", "ShipOrder"} if ships_at_once else {"ReleaseStock"}
    touched = {command.clerk for command in commands if command.name in moving}
    wanted |= {item.sku for session in touched & kept.keys() for item in kept[session].items}
    return FulfillmentBooks(read_stock(tx, wanted), kept)


_STOCK = select(stock).where(stock.c.sku.in_(KEYS)).order_by(stock.c.sku).with_for_update()
_SHIPMENTS = select(shipments).where(shipments.c.session.in_(KEYS))
_LINES = shipment_items.c
_ITEMS = select(shipment_items).where(_LINES.session.in_(KEYS)).order_by(_LINES.session, _LINES.line)


def read_stock(tx: Tx, skus: Iterable[str]) -> dict[str, Stock]:
    """The articles' stock, by sku, theirs alone until the transaction ends.

    PostgreSQL locks the rows, always in the order of the skus, so nobody oversells and nobody waits in a circle. It
    covers also what an undo gives back, which is recorded here and not told by the command.
    """
    wanted = sorted(set(skus))
    if not wanted:
        return {}
    rows = tx.execute(_STOCK, {"keys": wanted})
    return {row.sku: Stock(row.sku, row.on_hand, row.reserved, row.shipped) for row in rows}


def stock_of(tx: Tx, sku: str) -> Stock | None:
    """One article's stock, as it is at the moment; None for one that was never here."""
    row = tx.execute(select(stock).where(stock.c.sku == sku)).first()
    return None if row is None else Stock(row.sku, row.on_hand, row.reserved, row.shipped)


def set_on_hand(tx: Tx, sku: str, on_hand: int) -> None:
    """Count an article anew; what is reserved and shipped stays so."""
    tx.upsert(stock, [asdict(Stock(sku, on_hand))], ["sku"], keep=["reserved", "shipped"])


def list_shipments(tx: Tx, status: PublicStatus, after: str, most: int) -> list[Shipment]:
    """At most so many shipments behind the session `after`; allocated ones only when the warehouse has been asked."""
    kept = "requested" if status == "allocated" else status
    table = shipments
    rows = tx.execute(
        select(table).where(table.c.status == kept, table.c.session > after).order_by(table.c.session).limit(most)
    )
    return list(with_items(tx, rows.all()).values())


def read_shipments(tx: Tx, sessions: Iterable[str]) -> dict[str, Shipment]:
    """The sessions' shipments with their items, by session."""
    wanted = sorted(set(sessions))
    rows = tx.execute(_SHIPMENTS, {"keys": wanted}).all() if wanted else []
    return with_items(tx, rows)


def with_items(tx: Tx, rows: Sequence[Any]) -> dict[str, Shipment]:
    """Rows of `shipments` as shipments, by session and in their order; one more query, none for no rows."""
    items: dict[str, list[Item]] = {row.session: [] for row in rows}
    if items:
        for each in tx.execute(_ITEMS, {"keys": sorted(items)}):
            items[each.session].append(Item(each.sku, each.name, each.quantity))
    return {row.session: _as_shipment(row, items[row.session]) for row in rows}


def _as_shipment(row: Any, items: Sequence[Item]) -> Shipment:
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
    )


def _shipment_row(shipment: Shipment) -> dict[str, Any]:
    return {
        "session": shipment.session,
        "secret_sha256": shipment.secret_sha256,
        "status": shipment.status,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "step": shipment.step,
        "asked_at": shipment.asked_at,
        "shipped_at": shipment.shipped_at,
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

"""Where the shop keeps its catalogue, carts and orders: the tables, and the records of a batch of commands.

What HTTP routes read and change is in `queries.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, delete, select, union
from sqlalchemy.sql import Delete

from domain.messages import Command
from http_api.keys import key_tables
from messaging.database import Tx
from messaging.statements import KEYS
from messaging.technical_tables import technical_tables
from messaging.turns import turns_table
from shop_service.catalogue import Product
from shop_service.clerk_document import brought_items, secret_of
from shop_service.order import Cart, Order

metadata = MetaData()
technical = technical_tables(metadata)
key_tables(metadata)
turns = turns_table(metadata)
products = Table(
    "products",
    metadata,
    Column("sku", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("unit_amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
)


def _owner_columns() -> list[Column[Any]]:
    """The columns that a cart and the order it becomes have in common."""
    return [
        Column("session", String(128), primary_key=True),
        Column("secret_sha256", String(64), nullable=False),
        Column("customer", String(200)),
        Column("currency", String(3), nullable=False),
        Column("shop_type", String(8), nullable=False),
    ]


carts = Table(
    "carts",
    metadata,
    *_owner_columns(),
    Column("reported_at", BigInteger),
    Column("report_due", BigInteger),
)
_IS_DUE = carts.c.report_due.is_not(None)
Index("ix_carts_report_due", carts.c.report_due, sqlite_where=_IS_DUE, postgresql_where=_IS_DUE)
cart_items = Table(
    "cart_items",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("quantity", Integer, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    *_owner_columns(),
    Column("total", BigInteger, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
)
order_items = Table(
    "order_items",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("sku", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_amount", BigInteger, nullable=False),
    Column("kind", String(8)),  # not known of orders that were placed before it was kept
)
sessions_seen = Table(  # technical, like turns: who may be told that a session has ended; no business is in it
    "sessions_seen",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
)


class ShopUnitOfWork:
    """Articles, carts and orders of one batch, read at once, changed in memory, saved at once."""

    def __init__(self, products: Mapping[str, Product], kept: Iterable[str]) -> None:
        self.products = products
        self._kept = set(kept)
        self._carts: dict[str, Cart] = {}
        self._orders: dict[str, Order] = {}
        self._gone: set[str] = set()
        self._ended: dict[str, str] = {}

    def open_cart(self, cart: Cart) -> None:
        self._carts[cart.session] = cart

    def place(self, order: Order) -> None:
        self._orders[order.cart.session] = order

    def forget(self, session: str) -> bool:
        """Cart and order of the session vanish; was there one?"""
        cart, order = self._carts.pop(session, None), self._orders.pop(session, None)
        if session in self._kept:
            self._kept.discard(session)
            self._gone.add(session)
            return True
        return cart is not None or order is not None

    def remember_ended(self, session: str, secret_sha256: str) -> None:
        """Keep who may be told that this session has ended; an empty hash is nobody."""
        if secret_sha256:
            self._ended[session] = secret_sha256

    def save(self, tx: Tx) -> None:
        forget_sessions(tx, self._gone, (order_items, orders, cart_items, carts))
        tx.upsert(carts, [_owner_row(cart) for cart in self._carts.values()], ["session"])
        save_orders(tx, list(self._orders.values()))
        ended = [{"session": session, "secret_sha256": secret} for session, secret in sorted(self._ended.items())]
        tx.upsert(sessions_seen, ended, ["session"])


def open_unit_of_work(tx: Tx, commands: Sequence[Command]) -> ShopUnitOfWork:
    """The records that a batch of commands concerns.

    Sessions that are undone are remembered here, not in the handler: for an undo that comes before its do no handler
    is called (U3), and yet the session's own customer is to hear `session_ended` afterwards.
    """
    wanted = {sku for command in commands if command.direction == "do" for sku, _ in brought_items(command) or ()}
    undone = [command for command in commands if command.direction == "undo"]
    uow = ShopUnitOfWork(read_products(tx, wanted), read_kept(tx, {command.clerk for command in undone}))
    for command in undone:
        uow.remember_ended(command.clerk, secret_of(command))
    return uow


_PRODUCTS = select(products).where(products.c.sku.in_(KEYS))
_KEPT = union(
    select(carts.c.session).where(carts.c.session.in_(KEYS)), select(orders.c.session).where(orders.c.session.in_(KEYS))
)


def read_products(tx: Tx, skus: Iterable[str]) -> dict[str, Product]:
    """The articles there are among `skus`, by sku."""
    wanted = sorted(set(skus))
    if not wanted:
        return {}
    return {row.sku: as_product(row) for row in tx.execute(_PRODUCTS, {"keys": wanted})}


def read_kept(tx: Tx, sessions: Iterable[str]) -> set[str]:
    """Those of the sessions that have a cart or an order."""
    wanted = sorted(set(sessions))
    if not wanted:
        return set()
    return {row.session for row in tx.execute(_KEPT, {"keys": wanted})}


def forget_sessions(tx: Tx, sessions: Iterable[str], tables: Sequence[Table]) -> None:
    """Delete the sessions' rows from the tables."""
    gone = sorted(sessions)
    for table in tables if gone else ():
        tx.execute(_without(table), {"keys": gone})


@cache
def _without(table: Table) -> Delete:
    return delete(table).where(table.c.session.in_(KEYS))


def save_orders(tx: Tx, placed: Sequence[Order]) -> None:
    """Keep the orders with their lines, in the sequence the customer sees."""
    tx.upsert(orders, [_order_row(order) for order in placed], ["session"])
    lines = [
        {
            "session": order.cart.session,
            "line": number,
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "unit_amount": line.unit_amount,
            "kind": line.kind,
        }
        for order in placed
        for number, line in enumerate(order.lines, start=1)
    ]
    tx.upsert(order_items, lines, ["session", "line"])


def as_product(row: Any) -> Product:
    return Product(row.sku, row.name, row.unit_amount, row.currency, row.kind, row.withdrawn)


def _owner_row(cart: Cart) -> dict[str, Any]:
    return {
        "session": cart.session,
        "secret_sha256": cart.secret_sha256,
        "customer": cart.customer,
        "currency": cart.currency,
        "shop_type": cart.shop_type,
    }


def _order_row(order: Order) -> dict[str, Any]:
    return {
        **_owner_row(order.cart),
        "total": order.total,
        "placed_at": order.placed_at,
        "expires_at": order.expires_at,
    }

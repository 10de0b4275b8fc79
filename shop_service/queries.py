"""What the use cases and HTTP routes read and change in the tables: one session's cart or order, and the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, func, select

from messaging.database import Database, Tx
from shop_service.catalogue import ArticleKind, Product, ShopType
from shop_service.order import Cart, Line, Order, line_of
from shop_service.store import (
    as_product,
    cart_items,
    carts,
    forget_sessions,
    order_items,
    orders,
    products,
    save_orders,
    sessions_seen,
)


@dataclass(frozen=True, slots=True)
class ShopSession:
    """What the shop keeps of a session: an open `cart`, or the `order` it became, or neither when it has `ended`."""

    secret_sha256: str
    cart: Cart | None = None
    order: Order | None = None

    @property
    def ended(self) -> bool:
        return self.cart is None and self.order is None


_SESSION: BindParameter[str] = bindparam("session")
_SKU: BindParameter[str] = bindparam("sku")
_CART = select(carts).where(carts.c.session == _SESSION)
_ORDER = select(orders).where(orders.c.session == _SESSION)
_SEEN = select(sessions_seen).where(sessions_seen.c.session == _SESSION)
_CONTENT = (
    select(products, cart_items.c.quantity)
    .join(cart_items, cart_items.c.sku == products.c.sku)
    .where(cart_items.c.session == _SESSION)
    .order_by(products.c.sku)
)
_OTHERS = select(func.count()).where(cart_items.c.session == _SESSION, cart_items.c.sku != _SKU)
_TAKE_OUT = delete(cart_items).where(cart_items.c.session == _SESSION, cart_items.c.sku == _SKU)
_ORDER_LINES = select(order_items).where(order_items.c.session == _SESSION).order_by(order_items.c.line)


def read_session(tx: Tx, session: str) -> ShopSession | None:
    """The session as the shop knows it; None when it has never heard of it."""
    cart = tx.execute(_CART, {"session": session}).first()
    if cart is not None:
        return ShopSession(cart.secret_sha256, cart=_as_cart(cart))
    order = tx.execute(_ORDER, {"session": session}).first()
    if order is not None:
        lines = _order_lines(tx, session)
        return ShopSession(order.secret_sha256, order=Order(_as_cart(order), lines, order.placed_at, order.expires_at))
    seen = tx.execute(_SEEN, {"session": session}).first()
    return None if seen is None else ShopSession(seen.secret_sha256)


def find_session(database: Database, session: str) -> ShopSession | None:
    """The same in a transaction of its own."""
    with database.read() as tx:
        return read_session(tx, session)


@dataclass(frozen=True, slots=True)
class Assortment:
    """Which articles to list: of one kind, of those that a shop of one type sells, of one currency; None: of all."""

    kind: ArticleKind | None = None
    shop_type: ShopType | None = None
    currency: str | None = None


def read_on_sale(tx: Tx, after: str, wanted: Assortment, most: int) -> list[Product]:
    """What is sold, in the order of the skus: at most so many after the sku `after`."""
    sold = select(products).where(products.c.sku > after, products.c.withdrawn.is_(False))
    if wanted.kind:
        sold = sold.where(products.c.kind == wanted.kind)
    if wanted.shop_type and wanted.shop_type != "mixed":
        sold = sold.where(products.c.kind == wanted.shop_type)
    if wanted.currency:
        sold = sold.where(products.c.currency == wanted.currency)
    return [as_product(row) for row in tx.execute(sold.order_by(products.c.sku).limit(most))]


def read_cart(tx: Tx, session: str) -> list[tuple[Product, int]]:
    """(article, quantity) of a cart, by sku, the articles as they are now."""
    rows = tx.execute(_CONTENT, {"session": session})
    return [(as_product(row), row.quantity) for row in rows]


def cart_lines(content: Sequence[tuple[Product, int]]) -> list[Line]:
    """A cart's content at the prices of this moment."""
    return [line_of(product, quantity) for product, quantity in content]


def other_lines(tx: Tx, session: str, sku: str) -> int:
    """How many different articles are in the cart beside this one."""
    return int(tx.execute(_OTHERS, {"session": session, "sku": sku}).scalar_one())


def put_item(tx: Tx, session: str, sku: str, quantity: int) -> None:
    """So many of the article are in the cart now; 0 takes it out."""
    if quantity:
        tx.upsert(cart_items, [{"session": session, "sku": sku, "quantity": quantity}], ["session", "sku"])
    else:
        tx.execute(_TAKE_OUT, {"session": session, "sku": sku})


def cart_becomes(tx: Tx, order: Order) -> None:
    """The cart's rows go, the order's rows come."""
    forget_sessions(tx, [order.cart.session], (cart_items, carts))
    save_orders(tx, [order])


def _order_lines(tx: Tx, session: str) -> list[Line]:
    rows = tx.execute(_ORDER_LINES, {"session": session})
    return [Line(row.sku, row.name, row.quantity, row.unit_amount, row.kind) for row in rows]


def _as_cart(row: Any) -> Cart:
    return Cart(row.session, row.secret_sha256, row.customer, row.currency, row.shop_type)

"""The rules of carts and orders, pure: what may be ordered, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.money import amount
from domain.refusals import Refused
from shop_service.catalogue import ArticleKind, Product, ShopType, on_offer

MOST_OF_ONE = 999
MOST_LINES = 100
"""Different articles in one order: the whole order travels in every message."""


@dataclass(frozen=True, slots=True)
class Cart:
    """A session's cart: whose it is, and what kind of order it may become. `customer` is None for a guest."""

    session: str
    secret_sha256: str
    customer: str | None
    currency: str
    shop_type: ShopType


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one article, at the price of the moment. Amounts in minor units.

    `kind` is None in orders that were placed before it was kept.
    """

    sku: str
    name: str
    quantity: int
    unit_amount: int
    kind: ArticleKind | None

    @property
    def total(self) -> int:
        return self.quantity * self.unit_amount

    def as_json(self) -> dict[str, Any]:
        line = {
            "sku": self.sku,
            "name": self.name,
            "quantity": self.quantity,
            "unit_amount": self.unit_amount,
            "total": self.total,
        }
        return line if self.kind is None else {**line, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Order:
    """A placed order, its prices fixed. `expires_at` (ms, or None) is the moment the cart would have ended."""

    cart: Cart
    lines: Sequence[Line]
    placed_at: int
    expires_at: int | None

    @property
    def total(self) -> int:
        return sum_of(self.lines)

    def section(self) -> dict[str, Any]:
        """What the Clerk document's `order` section says of it."""
        return {"status": "placed", "items": [line.as_json() for line in self.lines], "total": self.total}


def line_of(product: Product, quantity: int) -> Line:
    """So many of the article, at the price that it has now."""
    return Line(product.sku, product.name, quantity, product.unit_amount, product.kind)


def at_total(order: Order, expected: int | None) -> Order | Refused:
    """The order, when it comes to what was expected (None: to anything); else `price_changed`."""
    if expected is None or expected == order.total:
        return order
    currency = order.cart.currency
    detail = f"the order comes to {amount(order.total, currency)}, and {amount(expected, currency)} was expected"
    return Refused("price_changed", f"{detail}: open a new session with the total that you agree to, or without one")


def sum_of(lines: Iterable[Line]) -> int:
    """What the lines come to, in minor units."""
    return sum(line.total for line in lines)


def add_up(wanted: Iterable[tuple[str, int]]) -> dict[str, int] | Refused:
    """(sku, quantity) pairs as quantity by sku; the same article named twice is one line.

    Refused: `order_empty`, `quantity_out_of_range` (each number and each sum must be 1…999; at most 100 lines).
    """
    sums: dict[str, int] = {}
    for sku, quantity in wanted:
        sums[sku] = sums.get(sku, 0) + quantity
        if quantity < 1 or sums[sku] > MOST_OF_ONE:
            return Refused(
                "quantity_out_of_range", f"article {sku}: 1 to {MOST_OF_ONE} can be ordered (is {sums[sku]})"
            )
    if not sums:
        return Refused("order_empty", "there is nothing in `items`: bring at least one article, or leave it out")
    return too_many_lines(len(sums)) or sums


def too_many_lines(count: int) -> Refused | None:
    """`quantity_out_of_range` when an order of so many different articles is too long; else None."""
    if count <= MOST_LINES:
        return None
    return Refused("quantity_out_of_range", f"an order has at most {MOST_LINES} different articles (is {count})")


def place(
    cart: Cart, wanted: Iterable[tuple[str, int]], products: Mapping[str, Product], now: int, expires_at: int | None
) -> Order | Refused:
    """The order at the prices of `products` (by sku) as they are now; Refused as by `add_up`, or `article_unknown`."""
    sums = add_up(wanted)
    if isinstance(sums, Refused):
        return sums
    lines: list[Line] = []
    for sku, quantity in sums.items():
        product = on_offer(products.get(sku), sku, cart.currency, cart.shop_type)
        if isinstance(product, Refused):
            return product
        lines.append(line_of(product, quantity))
    return Order(cart, lines, now, expires_at)

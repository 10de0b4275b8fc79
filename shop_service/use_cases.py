"""What a customer does with a cart over HTTP: look at it, fill it, place the order. Each use case is one transaction.

The lock of the Clerk puts a customer's request and an undo that come at the same moment one after the other: the later
one finds what the other has left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain.refusals import Refused
from domain.times import to_wire
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.turns import Dispatcher, Done, Turn
from shop_service.cart_reports import report_or_note
from shop_service.catalogue import Product, on_offer
from shop_service.order import Cart, Line, Order, place, sum_of, too_many_lines
from shop_service.queries import (
    cart_becomes,
    cart_lines,
    other_lines,
    put_item,
    read_cart,
    read_session,
)
from shop_service.store import ShopUnitOfWork, read_products

CartView = dict[str, Any]
"""`{session, currency, items: [{sku, name, quantity, unit_amount, total, kind}], total, status, expires_at}`; a line of
an open cart that cannot be ordered any more has `available: false`.
"""
Precondition = Callable[[CartView], None]
"""Raises, before anything is changed, when the client has not seen the cart as it is now."""
ENDED = Refused("session_ended", "this session has ended, its cart is gone: open a new one with `POST /shop/session`")
PLACED = Refused("not_allowed_now", "the order has been placed already: its cart cannot be changed any more")
EMPTY = Refused(
    "cart_empty",
    "there is nothing in the cart: put something in with `PUT /shop/carts/{session}/items/{sku}`, then order",
)


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The total is another one than the customer has seen. `cart` as it is now, or the order that was placed."""

    cart: CartView


@dataclass(frozen=True, slots=True)
class NotOnSale:
    """A line of the cart cannot be ordered any more, and why. `line` is its place in `cart`, as that is now."""

    detail: str
    line: int
    cart: CartView


def whatever_it_is(cart: CartView) -> None:
    """The precondition of a client that names none."""


@dataclass(frozen=True)
class CartUseCases:
    """Each returns the cart, or Refused: `session_ended`, `not_allowed_now`, `article_unknown`, `cart_empty`, …

    `unchanged` is asked within the transaction, under the Clerk's lock, of the cart that is about to be changed.
    """

    database: Database
    dispatcher: Dispatcher[ShopUnitOfWork]
    outbox: Outbox

    def show(self, session: str) -> CartView | Refused:
        """The cart, or the order that it became."""
        with self.database.read() as tx:
            turns = self.dispatcher.read_waiting(tx, session)
            content = read_cart(tx, session)
            kept = read_session(tx, session)  # last: what is still open now was open when its lines were read
        if kept is None or kept.ended:
            return ENDED
        if kept.order is not None:
            return _placed(kept.order)
        return _open_view(kept.cart, content, turns[0].deadline) if kept.cart and turns else ENDED

    def put(
        self, session: str, sku: str, quantity: int, unchanged: Precondition = whatever_it_is
    ) -> CartView | Refused:
        """So many of one article are in the cart now (0…999; 0 takes it out, even one that is no longer sold)."""
        with self.database.begin() as tx:
            now = tx.lock([session])
            found = self._in_time(tx, session, now)
            if isinstance(found, Order):
                return PLACED
            if isinstance(found, Refused):
                return found
            cart, turn = found
            unchanged(self._open(tx, cart, turn))
            refusal = _refuse_item(tx, cart, sku) if quantity else None
            if refusal:
                return refusal
            put_item(tx, session, sku, quantity)
            content = read_cart(tx, session)
            reports = report_or_note(tx, self.dispatcher, turn, cart_lines(content), now)
            outbound = self.outbox.write(tx, reports, now)
        self.outbox.post(outbound)
        return _open_view(cart, content, turn.deadline)

    def order(
        self, session: str, expected_total: int | None = None, unchanged: Precondition = whatever_it_is
    ) -> CartView | Refused | NotOnSale | PriceChanged:
        """Place the order at the prices of this moment, and tell ShopManager; again: the same order.

        PriceChanged when it comes to something else than `expected_total` (minor units), NotOnSale when an article was
        withdrawn meanwhile; then nothing is placed.
        """
        with self.database.begin() as tx:
            now = tx.lock([session])
            found = self._in_time(tx, session, now)
            if isinstance(found, Order):
                unchanged(_placed(found))
                return _at(expected_total, found, _placed(found))
            if isinstance(found, Refused):
                return found
            cart, turn = found
            content = read_cart(tx, session)
            seen = _open_view(cart, content, turn.deadline)
            unchanged(seen)
            order = _place(cart, content, turn, now)
            if isinstance(order, Refused):
                return _of_a_line(order, seen)
            if isinstance(changed := _at(expected_total, order, seen), PriceChanged):
                return changed
            cart_becomes(tx, order)
            replies = self.dispatcher.conclude_waiting(tx, [(turn, Done(order.section()))], now)
            outbound = self.outbox.write(tx, replies, now)
        self.outbox.post(outbound)
        return _placed(order)

    def _in_time(self, tx: Tx, session: str, now: int) -> tuple[Cart, Turn] | Order | Refused:
        """The open cart and the turn that waits for it, the order if it is placed, or a refusal after the end (T2)."""
        kept = read_session(tx, session)
        if kept is None or kept.ended:
            return ENDED
        if kept.order is not None:
            return kept.order
        turns = self.dispatcher.read_waiting(tx, session)
        if kept.cart is None or not turns or turns[0].is_over(now):
            return ENDED
        return kept.cart, turns[0]

    def _open(self, tx: Tx, cart: Cart, turn: Turn) -> CartView:
        return _open_view(cart, read_cart(tx, cart.session), turn.deadline)


def _place(cart: Cart, content: Sequence[tuple[Product, int]], turn: Turn, now: int) -> Order | Refused:
    if not content:
        return EMPTY
    articles = {product.sku: product for product, _ in content}
    return place(cart, [(product.sku, quantity) for product, quantity in content], articles, now, turn.deadline)


def _at(expected_total: int | None, order: Order, seen: CartView) -> CartView | PriceChanged:
    """What the client is shown, unless the order comes to something else than it expects."""
    return seen if expected_total in (None, order.total) else PriceChanged(seen)


def _refuse_item(tx: Tx, cart: Cart, sku: str) -> Refused | None:
    product = on_offer(read_products(tx, [sku]).get(sku), sku, cart.currency, cart.shop_type)
    if isinstance(product, Refused):
        return product
    return too_many_lines(other_lines(tx, cart.session, sku) + 1)


def _of_a_line(refusal: Refused, cart: CartView) -> Refused | NotOnSale:
    """The refusal, with the first line that it is about, if it is about one."""
    gone = [place for place, item in enumerate(cart["items"]) if not item.get("available", True)]
    return NotOnSale(refusal.detail, gone[0], cart) if gone and refusal.code == "article_unknown" else refusal


def _open_view(cart: Cart, content: Sequence[tuple[Product, int]], expires_at: int | None) -> CartView:
    view = _view(cart, cart_lines(content), "open", expires_at)
    for item, (product, _) in zip(view["items"], content, strict=True):
        if isinstance(on_offer(product, product.sku, cart.currency, cart.shop_type), Refused):
            item["available"] = False
    return view


def _placed(order: Order) -> CartView:
    return _view(order.cart, order.lines, "placed", order.expires_at)


def _view(cart: Cart, lines: Iterable[Line], status: Literal["open", "placed"], expires_at: int | None) -> CartView:
    items = list(lines)
    return {
        "session": cart.session,
        "currency": cart.currency,
        "items": [line.as_json() for line in items],
        "total": sum_of(items),
        "status": status,
        "expires_at": None if expires_at is None else to_wire(expires_at),
    }

"""What customers do at the counter: look at the cart, fill it, place the order. Each act is one transaction.

The Clerk's lock decides between a click and an undo that come at the same moment: the later one meets what the other
has left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from domain.messages import Reply
from domain.refusals import Refused
from domain.times import to_wire
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.turns import Desk, Done, Turn
from shop_service.catalogue import on_offer
from shop_service.order import Cart, Line, Order, place, sum_of, too_many_lines
from shop_service.store import ShopBooks, read_products
from shop_service.visits import cart_becomes, cart_lines, other_lines, put_item, read_cart, read_visit

CartAnswer = dict[str, Any]
"""`{session, currency, items: [{sku, name, quantity, unit_amount, total}], total, status, expires_at}` (api.md)."""
ENDED = Refused("session_ended", "this session has ended: its cart is gone and nothing can be ordered any more")
PLACED = Refused("not_allowed_now", "the order has been placed already: its cart cannot be changed any more")
EMPTY = Refused("cart_empty", "there is nothing in the cart")


@dataclass(frozen=True)
class Counter:
    """The acts. They refuse with a value: `session_ended`, `not_allowed_now`, `article_unknown`, `cart_empty`, …"""

    database: Database
    desk: Desk[ShopBooks]
    outbox: Outbox

    def show(self, session: str) -> CartAnswer | Refused:
        """The cart, or the order that it became."""
        with self.database.read() as tx:
            turns = self.desk.read_waiting(tx, session)
            lines = cart_lines(read_cart(tx, session))
            visit = read_visit(tx, session)  # last: what is still open now was open when its lines were read
        if visit is None or visit.ended:
            return ENDED
        if visit.order is not None:
            return _placed(visit.order)
        return _answer(visit.cart, lines, "open", turns[0].deadline) if visit.cart and turns else ENDED

    def put(self, session: str, sku: str, quantity: int) -> CartAnswer | Refused:
        """So many of one article are in the cart now (0…999; 0 takes it out, even one that is no longer sold)."""
        with self.database.begin() as tx:
            now = tx.lock([session])
            found = self._in_time(tx, session, now)
            if isinstance(found, Order):
                return PLACED
            if isinstance(found, Refused):
                return found
            cart, turn = found
            refusal = _refuse_item(tx, cart, sku) if quantity else None
            if refusal:
                return refusal
            put_item(tx, session, sku, quantity)
            return self._open(tx, cart, turn)

    def order(self, session: str) -> CartAnswer | Refused:
        """Place the order at the prices of this moment, and tell ShopManager; again: the same answer."""
        with self.database.begin() as tx:
            now = tx.lock([session])
            found = self._in_time(tx, session, now)
            if isinstance(found, Order):
                return _placed(found)
            if isinstance(found, Refused):
                return found
            outcome = self._place(tx, *found, now)
            if isinstance(outcome, Refused):
                return outcome
            cart_becomes(tx, outcome)
            parcels = self.outbox.write(tx, self._conclude(tx, found[1], outcome, now), now)
        self.outbox.post(parcels)
        return _placed(outcome)

    def _in_time(self, tx: Tx, session: str, now: int) -> tuple[Cart, Turn] | Order | Refused:
        """The open cart and the turn that waits for it, the order if it is placed, or a refusal after the end (T2)."""
        visit = read_visit(tx, session)
        if visit is None or visit.ended:
            return ENDED
        if visit.order is not None:
            return visit.order
        turns = self.desk.read_waiting(tx, session)
        if visit.cart is None or not turns or _is_over(turns[0], now):
            return ENDED
        return visit.cart, turns[0]

    def _place(self, tx: Tx, cart: Cart, turn: Turn, now: int) -> Order | Refused:
        content = read_cart(tx, cart.session)
        if not content:
            return EMPTY
        shelf = {product.sku: product for product, _ in content}
        return place(cart, [(product.sku, quantity) for product, quantity in content], shelf, now, turn.deadline)

    def _conclude(self, tx: Tx, turn: Turn, order: Order, now: int) -> list[Reply]:
        if turn.command is None:
            raise ValueError(f"turn {turn.clerk}/{turn.step} waits, but its command was not kept")
        ended, reply = self.desk.conclude(turn, turn.command, Done(order.section()), now)
        self.desk.write(tx, [ended] if ended else [], now)
        return [reply] if reply else []

    def _open(self, tx: Tx, cart: Cart, turn: Turn) -> CartAnswer:
        return _answer(cart, cart_lines(read_cart(tx, cart.session)), "open", turn.deadline)


def _is_over(turn: Turn, now: int) -> bool:
    return turn.deadline is not None and now >= turn.deadline


def _refuse_item(tx: Tx, cart: Cart, sku: str) -> Refused | None:
    product = on_offer(read_products(tx, [sku]).get(sku), sku, cart.currency, cart.shop_type)
    if isinstance(product, Refused):
        return product
    return too_many_lines(other_lines(tx, cart.session, sku) + 1)


def _placed(order: Order) -> CartAnswer:
    return _answer(order.cart, order.lines, "placed", order.expires_at)


def _answer(cart: Cart, lines: Iterable[Line], status: Literal["open", "placed"], expires_at: int | None) -> CartAnswer:
    items = list(lines)
    return {
        "session": cart.session,
        "currency": cart.currency,
        "items": [line.as_json() for line in items],
        "total": sum_of(items),
        "status": status,
        "expires_at": None if expires_at is None else to_wire(expires_at),
    }

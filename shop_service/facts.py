"""The shop's facts for `clerk verify`: what it keeps of each Clerk, read-only, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from messaging.database import Tx
from messaging.facts import TurnFacts, ids_after, read_turns, rows_of
from shop_service.store import cart_items, carts, metadata, order_items, orders, technical, turns

__all__ = ["NOTHING", "OrderFacts", "ShopFacts", "metadata", "read", "sessions_after", "technical"]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """A placed order. `items` as the document's `order` section has them; amounts in minor units."""

    customer: str | None
    currency: str
    secret_sha256: str
    total: int
    items: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """All that the shop has of one Clerk. `loose`: rows that belong to no cart and no order."""

    turns: Mapping[str, TurnFacts] = field(default_factory=dict)
    cart: bool = False
    order: OrderFacts | None = None
    loose: int = 0


NOTHING = ShopFacts()
_CARTS = select(carts.c.session)
_FILLED = select(cart_items.c.session)
_PLACED, _ITEMS = orders.c, order_items.c
_ORDERS = select(_PLACED.session, _PLACED.customer, _PLACED.currency, _PLACED.secret_sha256, _PLACED.total)
_LINES = select(_ITEMS.session, _ITEMS.sku, _ITEMS.name, _ITEMS.quantity, _ITEMS.unit_amount, _ITEMS.kind).order_by(
    _ITEMS.session, _ITEMS.line
)


def sessions_after(tx: Tx, after: str, most: int) -> list[str]:
    """The next Clerks that the shop has anything of."""
    columns = (turns.c.clerk, carts.c.session, cart_items.c.session, orders.c.session, order_items.c.session)
    return ids_after(tx, columns, after, most)


def read(tx: Tx, clerks: Sequence[str]) -> dict[str, ShopFacts]:
    """The facts about those of the Clerks that the shop has anything of."""
    its_turns = read_turns(tx, turns, clerks)
    placed = _orders(tx, clerks)
    lines = _lines(tx, clerks)
    open_carts = {row[0] for row in rows_of(tx, _CARTS, carts.c.session, clerks)}
    filled = [row[0] for row in rows_of(tx, _FILLED, cart_items.c.session, clerks)]
    loose = [session for session in filled if session not in open_carts]
    loose += [session for session in lines if session not in placed]
    concerned = its_turns.keys() | placed.keys() | open_carts | set(loose)
    return {
        clerk: ShopFacts(
            its_turns.get(clerk, {}),
            clerk in open_carts,
            _order(placed[clerk], lines.get(clerk, [])) if clerk in placed else None,
            loose.count(clerk) if loose else 0,
        )
        for clerk in concerned
    }


def _orders(tx: Tx, clerks: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    return {row[0]: tuple(row)[1:] for row in rows_of(tx, _ORDERS, _PLACED.session, clerks)}


def _lines(tx: Tx, clerks: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for session, sku, name, quantity, unit_amount, kind in rows_of(tx, _LINES, _ITEMS.session, clerks):
        line = {"sku": sku, "name": name, "quantity": quantity, "unit_amount": unit_amount}
        line["total"] = quantity * unit_amount  # reckoned here: what is checked is not checked by itself
        found.setdefault(session, []).append(line if kind is None else {**line, "kind": kind})
    return found


def _order(row: tuple[Any, ...], items: Sequence[Mapping[str, Any]]) -> OrderFacts:
    customer, currency, secret_sha256, total = row
    return OrderFacts(customer, currency, secret_sha256, total, items)

"""By which terms a customer whom the shop knows is found: they follow what is known, in its transaction."""

from __future__ import annotations

from messaging.database import Tx
from shop_manager.engine.search_index import SearchIndex, rows_of
from shop_manager.engine.search_terms import customer_terms
from shop_manager.sessions.repository import Customer


def follow_customer(search: SearchIndex, tx: Tx, before: Customer | None, now: Customer) -> None:
    """The customer was written; `before` is None of a new one."""
    old = _rows(search, before) if before else []
    new = _rows(search, now)
    search.change(tx, [row for row in new if row not in old], [row for row in old if row not in new])


def _rows(search: SearchIndex, customer: Customer) -> list[dict[str, object]]:
    return rows_of(customer_terms(customer.id, customer.name, customer.email, search.hashed), customer.id, 0)

"""One customer as operators see them: who it is, all orders, what each was told and when, notes, and the money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from http_api.conventions import page
from http_api.problems import not_found
from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.tables import clerks
from shop_manager.operations.claim_rows import read_claims
from shop_manager.operations.clerk_line import line_of
from shop_manager.operations.told import notes, told
from shop_manager.saga.forgetting import ERASED
from shop_manager.sessions.listing import NEWEST, Filter, page_of
from shop_manager.sessions.reads import Sessions
from shop_manager.sessions.repository import Customer, read_customer
from shop_manager.sessions.view import public_session, steps_of

SHOWN = 20
MONEY = {"authorized": "reserved", "captured": "paid", "refunded": "returned"}
"""By payment status: what the order's total counts as."""


class CustomerReads:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._database = sessions.manager.database

    def read(self, customer: str, cursor: str | None = None, limit: int = SHOWN) -> dict[str, Any]:
        """`{id, name, email, type, money: {reserved, paid, returned}, orders: {data, has_more, next_cursor}}`.

        An order is a line as in clerk_line.py with `{payment_status, items, told, notes}`; the money
        is that of the orders on this page, by currency. Who was forgotten has the name ERASED. Problem 404 for a
        customer whom the shop never knew.
        """
        with self._database.read() as tx:
            known = read_customer(tx, customer) or _forgotten(tx, customer)
            orders, following = self._orders(tx, customer, cursor, limit)
        return {
            "id": known.id,
            "name": known.name,
            "email": known.email,
            "type": known.type,
            "money": money_of(orders),
            "orders": page(orders, limit, following),
        }

    def _orders(self, tx: Tx, customer: str, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        first_steps = self._sessions.first_steps
        ids, following = page_of(
            tx, Filter(customer=customer), NEWEST, limit=limit, cursor=cursor, first_steps=first_steps
        )
        histories, now = store.read_histories(tx, ids), tx.now()
        sagas = self._sessions.read_many(tx, ids)
        claims = read_claims(tx, [saga.id for saga in sagas if not saga.ended])
        lines = []
        for saga in sagas:
            steps = steps_of(self._sessions.manager.processes, saga)
            session = public_session(saga, steps)
            lines.append({
                **line_of(saga, first_steps, now, claims.get(saga.id)),
                "payment_status": session["payment_status"],
                "items": session["items"],
                "told": told(saga.id, histories[saga.id], steps),
                "notes": notes(histories[saga.id]),
            })  # fmt: skip
        return lines, following


def _forgotten(tx: Tx, customer: str) -> Customer:
    """Orders are made for known customers only: one who has orders, and is not known, was forgotten."""
    if tx.execute(select(clerks.c.id).where(clerks.c.customer == customer).limit(1)).first() is None:
        raise not_found()
    return Customer(customer, ERASED, None, "regular")


def money_of(orders: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """`{reserved, paid, returned}`, each by currency in minor units."""
    sums: dict[str, Counter[str]] = {name: Counter() for name in MONEY.values()}
    for order in orders:
        if order["payment_status"] in MONEY and order["total"]:
            sums[MONEY[order["payment_status"]]][order["currency"]] += order["total"]
    return {name: dict(sum_) for name, sum_ in sums.items()}

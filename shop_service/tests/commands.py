"""For the shop's tests: a session's commands, the replies to them, and the rows that must not change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from domain.messages import Command, Reply
from messaging.database import Database
from messaging.turns import Dispatcher
from shop_service.handlers import shop
from shop_service.store import ShopUnitOfWork, cart_items, carts, order_items, orders, products, turns

NOON = 1_764_000_000_000
"""The clock of the tests' databases, in ms."""
DEADLINE = NOON + 60_000
BUSINESS = (products, carts, cart_items, orders, order_items)
"""The tables that a session which did not complete leaves as they were (I6)."""


def secret_for(session: str) -> str:
    return f"cs_{session}"


def hash_of(session: str) -> str:
    return hashlib.sha256(secret_for(session).encode()).hexdigest()


def document(
    session: str, brings: Mapping[str, int] | None = None, *, currency: str = "EUR", shop_type: str = "physical"
) -> dict[str, Any]:
    clerk: dict[str, Any] = {
        "id": session,
        "secret_sha256": hash_of(session),
        "currency": currency,
        "shop_type": shop_type,
    }
    if brings is not None:
        clerk["brought"] = {"items": [{"sku": sku, "quantity": quantity} for sku, quantity in brings.items()]}
    return {"clerk": clerk, "customer": {"id": "ada", "type": "regular"}, "metadata": {"left": "alone"}}


def starts(session: str, brings: Mapping[str, int] | None = None, *, attempt: int = 1, **more: Any) -> Command:
    """StartShopping, with the order along when the session `brings` one."""
    return _command(session, "StartShopping", "do", document(session, brings, **more), attempt)


def cancels(session: str, *, attempt: int = 1) -> Command:
    return _command(session, "CancelOrder", "undo", document(session), attempt)


def _command(session: str, name: str, direction: Any, content: dict[str, Any], attempt: int) -> Command:
    return Command(
        service="shop",
        name=name,
        version=1,
        clerk=session,
        step="shopping",
        attempt=attempt,
        direction=direction,
        document=content,
        sent_at=NOON,
        deadline=DEADLINE if direction == "do" else None,
    )


def dispatcher() -> Dispatcher[ShopUnitOfWork]:
    return Dispatcher(shop(), turns)


def replies_to(database: Database, *commands: Command) -> list[Reply]:
    """What the shop replies to one batch."""
    with database.begin() as tx:
        replies = dispatcher().handle(tx, commands)
    return [reply for reply in replies if isinstance(reply, Reply)]


def business_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as tx:
        return {table.name: sorted(tuple(row) for row in tx.execute(select(table))) for table in BUSINESS}

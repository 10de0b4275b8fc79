"""Makes an order stuck in each way, by the faults of `clerk up --faults` (docs/faults.md), and says how each heals."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clerk_cli.tests.faults_shop import FaultyShop


def unsupported(shop: FaultyShop) -> str:
    """An order whose credit command risk does not know: before the pivot, stuck at once."""
    shop.put("risk", "unsupported", step="credit")
    order = shop.order()
    shop.is_stuck(order, "unsupported")
    return order


def no_answer(shop: FaultyShop) -> str:
    """An order whose money is to be captured, and payment does not answer."""
    shop.put("payment", "pause", step="capture")
    order = shop.order()
    shop.is_stuck(order, "no_answer")
    return order


def undo_failing(shop: FaultyShop) -> str:
    """An order that is canceled, and risk does not answer when it is asked to release the credit."""
    order = shop.order(None)
    shop.call("PUT", f"/shop/carts/{order}/items/SQUEAKY-BONE", {"quantity": 1})
    shop.reaches(order, "credit", "done")
    shop.put("risk", "pause", step="credit")
    shop.cancel(order)
    shop.is_stuck(order, "undo_failing")
    return order


def overdue(shop: FaultyShop) -> str:
    """An order that is paid and shipped, and risk does not settle it."""
    shop.put("risk", "refuse", step="settle")
    order = shop.order()
    shop.is_stuck(order, "overdue")
    return order


def parked_message(shop: FaultyShop) -> str:
    """An order whose capture command payment cannot read, and whose replies are lost."""
    shop.put("payment", "drop_replies", step="capture")
    order = shop.order()
    shop.reaches(order, "capture", "asked")
    shop.send_raw("payment", f'[{{"kind": "command", "id": "{order}/capture/1/do"}}]'.encode())
    shop.is_stuck(order, "parked_message")
    return order


class StuckCase(NamedTuple):
    """`make` puts the fault in force and returns the order; settled as `outcome`, the order ends as one of `ends`."""

    make: Callable[[FaultyShop], str]
    outcome: str
    ends: tuple[str, ...]


SETTLED = {
    "undo_failing": StuckCase(undo_failing, "undone", ("canceled",)),
    "overdue": StuckCase(overdue, "done", ("completed",)),
    "parked_message": StuckCase(parked_message, "done", ("completed",)),
    "unsupported": StuckCase(unsupported, "refused", ("failed", "expired")),
}
"""By the kind of being stuck. `no_answer` is not among them: it is asked again instead of settled.

When the limit of `unsupported` has passed before it is settled, its undo is left to settle, and the order expires.
"""

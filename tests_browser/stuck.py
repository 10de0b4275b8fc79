"""Words for a shop in which something is stuck, for as long as a test looks on."""

from __future__ import annotations

from clerk_cli.tests.faults_shop import FaultyShop


def unsupported(shop: FaultyShop) -> str:
    """An order that risk does not know how to take on: before the pivot, stuck at once."""
    shop.put("risk", "unsupported", step="credit")
    order = shop.order()
    shop.is_stuck(order, "unsupported")
    return order


def no_answer(shop: FaultyShop) -> str:
    """An order whose money is asked for, and payment is silent."""
    shop.put("payment", "pause", step="capture")
    order = shop.order()
    shop.is_stuck(order, "no_answer")
    return order

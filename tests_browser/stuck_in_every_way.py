"""Every way to be stuck, made with the switchboard of `clerk up --faults` (docs/faults.md), and how each is healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clerk_cli.tests.faults_shop import FaultyShop
from tests_browser.stuck import unsupported


def undo_failing(shop: FaultyShop) -> str:
    """An order that is called off, and risk is silent when it shall release the credit."""
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
    """An order whose capture was asked in a way that payment cannot read, and whose answers are lost."""
    shop.put("payment", "drop_replies", step="capture")
    order = shop.order()
    shop.reaches(order, "capture", "asked")
    shop.send_raw("payment", f'[{{"kind": "command", "id": "{order}/capture/1/do"}}]'.encode())
    shop.is_stuck(order, "parked_message")
    return order


class Way(NamedTuple):
    """How it is made, which act heals it while the fault is still there, as what it is settled, how it then ends."""

    make: Callable[[FaultyShop], str]
    outcome: str
    ends: tuple[str, ...]


SETTLED = {
    "undo_failing": Way(undo_failing, "undone", ("canceled",)),
    "overdue": Way(overdue, "done", ("completed",)),
    "parked_message": Way(parked_message, "done", ("completed",)),
    "unsupported": Way(unsupported, "refused", ("failed", "expired")),
}
"""Settled by hand; `no_answer` is asked again instead. When the limit of `unsupported` has passed meanwhile, what is
left to settle is its undo."""

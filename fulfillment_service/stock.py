"""The rules of stock, pure: goods are on hand, reserved for a session, or shipped; none appear or vanish between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.refusals import Refused

MOST = 10**9
"""Pieces of one article on hand."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Pieces of one article. Reserved ones are no longer on hand."""

    sku: str
    on_hand: int = 0
    reserved: int = 0
    shipped: int = 0


def shortage(wanted: Mapping[str, int], stock: Mapping[str, Stock]) -> Refused | None:
    """`out_of_stock`, naming every article of which too little is on hand; None when there is enough of all."""
    short = {
        sku: f"{sku}: {quantity} wanted, {on_hand} on hand"
        for sku, quantity in wanted.items()
        if quantity > (on_hand := stock[sku].on_hand if sku in stock else 0)
    }
    if not short:
        return None
    detail = f"there is not enough of {', '.join(short)}: order less of it, or something else"
    return Refused("out_of_stock", detail, internal="; ".join(short.values()))


def adjust(stock: Stock, delta: int) -> Stock | Refused:
    """So many pieces more on hand, or fewer.

    Refused: `out_of_stock` when there are not so many to take away, `quantity_out_of_range` beyond MOST.
    """
    if stock.on_hand + delta > MOST:
        return Refused("quantity_out_of_range", f"{stock.on_hand} are on hand, and there can be {MOST} at most")
    if stock.on_hand + delta < 0:
        return Refused("out_of_stock", f"{stock.sku}: {stock.on_hand} on hand, {-delta} cannot be taken away")
    return replace(stock, on_hand=stock.on_hand + delta)


def reserve(stock: Stock, quantity: int) -> Stock:
    return replace(stock, on_hand=stock.on_hand - quantity, reserved=stock.reserved + quantity)


def give_back(stock: Stock, quantity: int) -> Stock:
    return replace(stock, on_hand=stock.on_hand + quantity, reserved=stock.reserved - quantity)


def hand_over(stock: Stock, quantity: int) -> Stock:
    """The carrier has the pieces: from reserved to shipped."""
    return replace(stock, reserved=stock.reserved - quantity, shipped=stock.shipped + quantity)

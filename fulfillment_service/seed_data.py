"""The demo shop's stock (`clerk up` with an empty data folder)."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select

from fulfillment_service.stock import Stock
from fulfillment_service.store import stock
from messaging.database import Tx

PIECES = {
    "SQUEAKY-BONE": 1000,
    "SQUEAKY-DUCK": 100,
    "SQUEAKY-CARROT": 100,
    "SQUEAKY-HEDGEHOG": 100,
    "SQUEAKY-POSTMAN": 100,
    "SILENT-BALL": 100,
}
"""Pieces by sku: the physical articles of shop_service/seed_data.py."""


def fill(tx: Tx) -> None:
    """Put the demo stock into an empty warehouse; one that has anything stays as it is."""
    if tx.execute(select(stock.c.sku).limit(1)).first() is None:
        tx.insert(stock, [asdict(Stock(sku, on_hand)) for sku, on_hand in PIECES.items()])

"""The articles of the demo shop: squeaky dog toys (`clerk up` with an empty data folder)."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select

from messaging.database import Tx
from shop_service.catalogue import Product
from shop_service.store import products

TOYS = (
    Product("SQUEAKY-BONE", "Squeaky bone", 1295, "EUR", "physical"),
    Product("SQUEAKY-DUCK", "Squeaky duck", 950, "EUR", "physical"),
    Product("SQUEAKY-CARROT", "Squeaky carrot", 795, "EUR", "physical"),
    Product("SQUEAKY-HEDGEHOG", "Squeaky hedgehog, extra loud", 1450, "EUR", "physical"),
    Product("SQUEAKY-POSTMAN", "Squeaky postman", 1695, "EUR", "physical"),
    Product("SILENT-BALL", "Silent ball, for the neighbours' sake", 550, "EUR", "physical"),
    Product("BARK-ALBUM", "Bark! The album (download)", 999, "EUR", "digital"),
    Product("SQUEAK-RINGTONE", "Squeak ringtone (download)", 199, "EUR", "digital"),
)


def fill(tx: Tx) -> None:
    """Put the demo articles into an empty catalogue; one that has any article stays as it is."""
    if tx.execute(select(products.c.sku).limit(1)).first() is None:
        tx.insert(products, [asdict(product) for product in TOYS])

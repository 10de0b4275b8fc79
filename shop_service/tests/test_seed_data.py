"""The demo shop's articles."""

from __future__ import annotations

from sqlalchemy import delete

from messaging.database import Database
from shop_service.seed_data import TOYS, fill
from shop_service.store import products
from shop_service.tests.commands import business_rows


def test_filling_twice_is_filling_once(database: Database) -> None:
    before = business_rows(database)
    with database.begin() as tx:
        fill(tx)
    assert business_rows(database) == before
    assert len(before["products"]) == len(TOYS)


def test_a_catalogue_with_anything_in_it_stays_as_it_is(database: Database) -> None:
    with database.begin() as tx:
        tx.execute(delete(products).where(products.c.sku != "SILENT-BALL"))
        fill(tx)
    assert [row[0] for row in business_rows(database)["products"]] == ["SILENT-BALL"]

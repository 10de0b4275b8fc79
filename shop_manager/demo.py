"""What an empty data folder is filled with: the shops and customers of the little shop of squeaky dog toys."""

from __future__ import annotations

from messaging.database import Tx
from shop_manager.sessions.repository import (
    Customer,
    Shop,
    read_shop,
    write_customer,
    write_shop,
)

SHOPS = (
    Shop("squeaky-toys", "Squeaky Toys", "physical", allows_invoice=True, currency="EUR"),
    Shop("squeaky-sounds", "Squeaky Sounds", "digital", allows_invoice=False, currency="EUR"),
    Shop("squeaky-everything", "Squeaky Everything", "mixed", allows_invoice=False, currency="EUR"),
)
CUSTOMERS = (
    Customer("ada", "Ada", "ada@example.com", "regular"),
    Customer("grace", "Grace", "grace@example.com", "trusted"),
)


def fill(tx: Tx) -> None:
    """Once: a shop that is there already, changed or not, means that it was done before."""
    if read_shop(tx, SHOPS[0].id) is not None:
        return
    for shop in SHOPS:
        write_shop(tx, shop)
    for customer in CUSTOMERS:
        write_customer(tx, customer)

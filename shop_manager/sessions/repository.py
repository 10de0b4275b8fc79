"""Reads and writes customers and shops: what is needed to choose a process and to address a parcel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, literal, null, select, union_all

from http_api.shop_offers import ShopOffer
from messaging.database import Database, Tx
from messaging.statements import KEYS
from shop_manager.engine.tables import customers, shops

CustomerType = Literal["regular", "trusted"]
ShopType = Literal["physical", "digital", "mixed"]


@dataclass(frozen=True, slots=True)
class Customer:
    """A named customer. Guests have no row."""

    id: str
    name: str
    email: str | None
    type: CustomerType


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop. `currency` is ISO 4217; its orders have no other."""

    id: str
    name: str
    type: ShopType
    allows_invoice: bool
    currency: str


_IS_SHOP = shops.c.id == bindparam("shop")
_IS_CUSTOMER = customers.c.id == bindparam("customer")
_SHOP = select(shops).where(_IS_SHOP)
_CUSTOMER = select(customers).where(_IS_CUSTOMER)
_BOTH = union_all(
    select(literal(1).label("is_shop"), *shops.c, null().label("email")).where(shops.c.id.in_(KEYS)),
    select(
        literal(0), *(customers.c[name] for name in ("id", "name", "type")), null(), null(), customers.c.email
    ).where(customers.c.id.in_(bindparam("customers", expanding=True))),
)


def look_up(tx: Tx, shops: Iterable[str], customers: Iterable[str]) -> tuple[dict[str, Shop], dict[str, Customer]]:
    """Those shops and customers that are known, by their ids, with one statement."""
    rows = [
        row._asdict() for row in tx.execute(_BOTH, {"keys": sorted(set(shops)), "customers": sorted(set(customers))})
    ]
    return (
        {row["id"]: _shop(row) for row in rows if row["is_shop"]},
        {row["id"]: customer_of_row(row) for row in rows if not row["is_shop"]},
    )


def read_customer(tx: Tx, customer: str) -> Customer | None:
    row = tx.execute(_CUSTOMER, {"customer": customer}).first()
    return customer_of_row(row._asdict()) if row else None


def read_shop(tx: Tx, shop: str) -> Shop | None:
    row = tx.execute(_SHOP, {"shop": shop}).first()
    return _shop(row._asdict()) if row else None


def find_offer(database: Database, shop: str) -> ShopOffer | None:
    """What a shop sells, in a transaction of its own."""
    with database.look() as tx:
        found = read_shop(tx, shop)
    return ShopOffer(found.type, found.currency) if found else None


def write_customer(tx: Tx, customer: Customer) -> None:
    """Make the customer known, or change what is known; running Clerks keep what they began with."""
    tx.upsert(customers, [asdict(customer)], ["id"])


def write_shop(tx: Tx, shop: Shop) -> None:
    tx.upsert(shops, [{**asdict(shop), "allows_invoice": int(shop.allows_invoice)}], ["id"])


def customer_of_row(row: Mapping[str, Any]) -> Customer:
    return Customer(row["id"], row["name"], row["email"], row["type"])


def _shop(row: Mapping[str, Any]) -> Shop:
    return Shop(row["id"], row["name"], row["type"], bool(row["allows_invoice"]), row["currency"])

"""Customers and shops as ShopManager knows them: enough to choose a process and to address the parcel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, literal, select

from messaging.database import Tx
from shop_manager.store import customers, shops

CustomerType = Literal["regular", "trusted"]
ShopType = Literal["physical", "digital"]


@dataclass(frozen=True, slots=True)
class Customer:
    """A named customer. Guests are not in the directory."""

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
_BOTH = select(
    *(column.label(f"shop_{column.name}") for column in shops.c),
    *(column.label(f"customer_{column.name}") for column in customers.c),
).select_from(select(literal(1).label("one")).subquery().outerjoin(shops, _IS_SHOP).outerjoin(customers, _IS_CUSTOMER))


def look_up(tx: Tx, shop: str, customer: str | None) -> tuple[Shop | None, Customer | None]:
    """Both with one statement; None for what is not known."""
    row = tx.execute(_BOTH, {"shop": shop, "customer": customer}).one()
    found = row._asdict()
    return _shop(found, "shop_"), _customer(found, "customer_")


def read_customer(tx: Tx, customer: str) -> Customer | None:
    row = tx.execute(_CUSTOMER, {"customer": customer}).first()
    return _customer(row._asdict(), "") if row else None


def read_shop(tx: Tx, shop: str) -> Shop | None:
    row = tx.execute(_SHOP, {"shop": shop}).first()
    return _shop(row._asdict(), "") if row else None


def write_customer(tx: Tx, customer: Customer) -> None:
    """Make the customer known, or change what is known; running Clerks keep what they began with."""
    tx.upsert(customers, [asdict(customer)], ["id"])


def write_shop(tx: Tx, shop: Shop) -> None:
    tx.upsert(shops, [{**asdict(shop), "allows_invoice": int(shop.allows_invoice)}], ["id"])


def _customer(row: Mapping[str, Any], prefix: str) -> Customer | None:
    if row[f"{prefix}id"] is None:
        return None
    return Customer(row[f"{prefix}id"], row[f"{prefix}name"], row[f"{prefix}email"], row[f"{prefix}type"])


def _shop(row: Mapping[str, Any], prefix: str) -> Shop | None:
    if row[f"{prefix}id"] is None:
        return None
    return Shop(
        id=row[f"{prefix}id"],
        name=row[f"{prefix}name"],
        type=row[f"{prefix}type"],
        allows_invoice=bool(row[f"{prefix}allows_invoice"]),
        currency=row[f"{prefix}currency"],
    )

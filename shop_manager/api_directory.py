"""The doors to customers and shops, for the shop's backend (api.md, ShopManager)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from doors.answers import Body, Id
from doors.callers import require_server
from doors.problems import Problem
from messaging.database import Database
from shop_manager.directory import (
    Customer,
    CustomerType,
    Shop,
    ShopType,
    read_customer,
    read_shop,
    write_customer,
    write_shop,
)

Name = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$", max_length=200)
]
Email = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f@]+@[^\s\x00-\x1f\x7f@]+$", max_length=254)]


class CustomerBody(Body):
    name: Name
    email: Email | None = None
    type: Annotated[CustomerType, Field(description="trusted customers may be sent an invoice")] = "regular"


class ShopBody(Body):
    name: Name
    type: ShopType
    allows_invoice: bool = False
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"


def directory_router(database: Database) -> APIRouter:
    """`GET` and `PUT` of `/shop/customers/{id}` and `/shop/shops/{id}`, with the server key."""
    router = APIRouter(tags=["directory"], dependencies=[Depends(require_server)])

    @router.get("/shop/customers/{customer}")
    def get_customer(customer: Id) -> dict[str, Any]:
        with database.read() as tx:
            found = read_customer(tx, customer)
        if found is None:
            raise Problem("customer_unknown")
        return asdict(found)

    @router.put("/shop/customers/{customer}")
    def put_customer(customer: Id, body: CustomerBody) -> dict[str, Any]:
        """Make a customer known, or change one; running sessions stay as they began."""
        known = Customer(customer, **body.model_dump())
        with database.begin() as tx:
            write_customer(tx, known)
        return asdict(known)

    @router.get("/shop/shops/{shop}")
    def get_shop(shop: Id) -> dict[str, Any]:
        with database.read() as tx:
            found = read_shop(tx, shop)
        if found is None:
            raise Problem("shop_unknown")
        return asdict(found)

    @router.put("/shop/shops/{shop}")
    def put_shop(shop: Id, body: ShopBody) -> dict[str, Any]:
        """Make a shop known, or change one; running sessions stay as they began."""
        known = Shop(shop, **body.model_dump())
        with database.begin() as tx:
            write_shop(tx, known)
        return asdict(known)

    return router

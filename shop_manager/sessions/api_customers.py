"""The HTTP routes of customers and shops, for the shop's backend (docs/design/api.md)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from http_api.conventions import Body, Currency, Id, example, unless_changed, unless_known, with_digest
from http_api.principals import require_server
from http_api.problems import Problem
from http_api.routes import Routes
from messaging.database import Database
from shop_manager.engine.search_index import SearchIndex
from shop_manager.sessions import answers, examples, repository
from shop_manager.sessions.customer_terms import follow_customer
from shop_manager.sessions.opening_request import DisplayName, Email
from shop_manager.sessions.repository import (
    Customer,
    CustomerType,
    Shop,
    ShopType,
    write_customer,
    write_shop,
)


class CustomerBody(Body):
    model_config = example(examples.CUSTOMER)

    name: DisplayName
    email: Email | None = None
    type: Annotated[CustomerType, Field(description="trusted customers may be sent an invoice")] = "regular"


class ShopBody(Body):
    model_config = example(examples.SHOP)

    name: DisplayName
    type: ShopType
    allows_invoice: bool = False
    currency: Currency = "EUR"


def customers_and_shops_router(database: Database, search: SearchIndex) -> APIRouter:
    """`GET` and `PUT` of `/shop/customers/{id}` and `/shop/shops/{id}`, with the server key."""
    router = Routes(tags=["directory"], dependencies=[Depends(require_server)])

    @router.get("/shop/customers/{customer}", **answers.READ_CUSTOMER)
    def read_customer(customer: Id, request: Request) -> Response:
        """A customer who is known to the shop."""
        with database.read() as tx:
            found = repository.read_customer(tx, customer)
        if found is None:
            raise Problem("customer_unknown")
        return unless_known(request, asdict(found))

    @router.put("/shop/customers/{customer}", **answers.PUT_CUSTOMER)
    def put_customer(customer: Id, body: CustomerBody, request: Request) -> Response:
        """Make a customer known, or change one; running sessions stay as they began."""
        known = Customer(customer, **body.model_dump())
        with database.begin() as tx:
            tx.lock([f"customer:{customer}"])
            before = repository.read_customer(tx, customer)
            unless_changed(request, asdict(before) if before else None)
            write_customer(tx, known)
            follow_customer(search, tx, before, known)
        return with_digest(asdict(known))

    @router.get("/shop/shops/{shop}", **answers.READ_SHOP)
    def read_shop(shop: Id, request: Request) -> Response:
        """A shop, and what kind of articles it sells."""
        with database.read() as tx:
            found = repository.read_shop(tx, shop)
        if found is None:
            raise Problem("shop_unknown")
        return unless_known(request, asdict(found))

    @router.put("/shop/shops/{shop}", **answers.PUT_SHOP)
    def put_shop(shop: Id, body: ShopBody, request: Request) -> Response:
        """Make a shop known, or change one; running sessions stay as they began."""
        known = Shop(shop, **body.model_dump())
        with database.begin() as tx:
            tx.lock([f"shop:{shop}"])
            before = repository.read_shop(tx, shop)
            unless_changed(request, asdict(before) if before else None)
            write_shop(tx, known)
        return with_digest(asdict(known))

    return router

"""The HTTP route `GET /ops/customers/{id}`: one customer, for whoever has them on the telephone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from http_api.conventions import Id
from http_api.principals import require_operator
from http_api.routes import Routes
from shop_manager.operations.answers_customer import READ_CUSTOMER
from shop_manager.operations.customer import SHOWN
from shop_manager.operations.facade import Operations
from shop_manager.sessions.api import as_json


def ops_customer_router(operations: Operations) -> APIRouter:
    router = Routes(prefix="/ops", tags=["operators"], dependencies=[Depends(require_operator("viewer"))])

    @router.get("/customers/{customer}", **READ_CUSTOMER)
    def read_customer_and_orders(
        customer: Id,
        request: Request,
        cursor: Annotated[str | None, Query(max_length=1000)] = None,
        limit: Annotated[int, Query(ge=1, le=50)] = SHOWN,
    ) -> Response:
        """Who it is, the orders (the latest first) with what was told of each and when, notes, money, credit now."""
        found = operations.customers.read(customer, cursor, limit)
        credit = operations.credit.ask(request, customer)
        return as_json({**found, "credit": credit.accounts, "credit_unknown": credit.why})

    return router

"""The page of one customer: for whoever has them on the telephone."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from http_api.conventions import Id
from shop_manager.dashboard.layout import Layout
from shop_manager.dashboard.query_parameters import address
from shop_manager.dashboard.what_was_told import FULFILLMENT, PAYMENT
from shop_manager.operations.facade import Operations

PATH = "/dashboard/customers"


def customer_page(router: APIRouter, layout: Layout, operations: Operations) -> None:
    @router.get("/customers/{customer}")
    def read_customer(customer: Id, request: Request) -> Response:
        cursor = request.query_params.get("cursor")
        found = operations.customers.read(customer, cursor)
        following = found["orders"]["next_cursor"]
        return layout.page(
            request,
            "customer.html",
            customer=found,
            credit=operations.credit.ask(request, customer),
            words_for_payment=PAYMENT,
            words_for_fulfillment=FULFILLMENT,
            first=path_of(customer) if cursor else None,
            following=address(path_of(customer), {"cursor": following}) if following else None,
        )


def path_of(customer: str) -> str:
    return f"{PATH}/{quote(customer, safe='')}"

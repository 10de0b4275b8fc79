"""The page of one customer: for whoever has them on the telephone."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from http_api.conventions import Id
from http_api.problems import Problem
from shop_manager.dashboard.forms import principal_of, raise_unless_shown, validated
from shop_manager.dashboard.layout import Layout, login_of, may
from shop_manager.dashboard.not_yet import raise_if_not_yet, shows_its_form
from shop_manager.dashboard.query_parameters import address
from shop_manager.dashboard.what_was_told import FULFILLMENT, PAYMENT
from shop_manager.operations.facade import Operations
from shop_manager.operations.forgetting import KEPT, ForgetAsk

PATH = "/dashboard/customers"


def customer_page(router: APIRouter, layout: Layout, operations: Operations) -> None:
    page = CustomerPage(layout, operations)

    @router.get("/customers/{customer}")
    def read_customer(customer: Id, request: Request) -> Response:
        return page.show(request, customer)

    @router.post("/customers/{customer}/forget")
    @shows_its_form
    def forget_customer(customer: Id, request: Request) -> Response:
        return page.forget(request, customer)


class CustomerPage:
    def __init__(self, layout: Layout, operations: Operations) -> None:
        self._layout = layout
        self._operations = operations
        self._forgetting = operations.forgetting

    def show(self, request: Request, customer: str, problem: Problem | None = None) -> Response:
        """With what could be forgotten, for those who may. `problem`: why it was not."""
        cursor = request.query_params.get("cursor")
        found = self._operations.customers.read(customer, cursor)
        following = found["orders"]["next_cursor"]
        return self._layout.page(
            request,
            "customer.html",
            problem.known.status if problem else 200,
            customer=found,
            credit=self._operations.credit.ask(request, customer),
            words_for_payment=PAYMENT,
            words_for_fulfillment=FULFILLMENT,
            first=path_of(customer) if cursor else None,
            following=address(path_of(customer), {"cursor": following}) if following else None,
            to_forget=self._forgetting.preview(customer) if may(login_of(request), "admin") else None,
            kept=KEPT,
            typed=request.state.form.get("reason", "") if problem else "",
            error=problem.detail if problem else "",
        )

    def forget(self, request: Request, customer: str) -> Response:
        """What was erased and what is kept; the page again with why, when nothing was done."""
        who = principal_of(request)
        self._forgetting.require(who)
        try:
            raise_if_not_yet(request)
            asked = {"customer": customer, "reason": request.state.form.get("reason", "")}
            found = self._forgetting.forget(who, validated(ForgetAsk, asked))
            if not isinstance(found, dict):
                raise Problem(found.code, found.detail)
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show(request, customer, problem)
        return self._layout.page(request, "customer_forgotten.html", customer=customer, found=found)


def path_of(customer: str) -> str:
    return f"{PATH}/{quote(customer, safe='')}"

"""Risk's HTTP routes: what the shop's backend may read and set, and operators read (docs/design/api.md)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from http_api.conventions import (
    Body,
    Currency,
    Id,
    check_if_match,
    check_if_none_match,
    digest_of,
    example,
    unless_known,
    with_digest,
)
from http_api.principals import require_server, require_server_or_operator
from http_api.routes import Routes
from risk_service import answers
from risk_service.settings import LARGEST_LIMIT
from risk_service.use_cases import CreditUseCases, Standing


class Limit(Body):
    model_config = example({"limit": 100000, "currency": "EUR"})

    limit: Annotated[int, Field(ge=0, le=LARGEST_LIMIT, description="minor units")]
    currency: Annotated[Currency | None, Field(description="without one that of the setting CLERK_RISK_CURRENCY")] = (
        None
    )


def risk_router(credit: CreditUseCases) -> APIRouter:
    """`GET` and `PUT /risk/customers/{id}`; both need the server key, operators may read."""
    router = Routes(tags=["risk"])

    @router.get("/risk/customers/{customer}", **answers.READ_CREDIT, dependencies=[Depends(require_server_or_operator)])
    def read_credit(
        customer: Id,
        request: Request,
        currency: Annotated[Currency | None, Query(description="of the figures at the top")] = None,
    ) -> Response:
        """A customer's standing; one that risk has never heard of has the default limit."""
        return unless_known(request, credit.standing(customer, currency))

    @router.put("/risk/customers/{customer}", **answers.SET_CREDIT_LIMIT, dependencies=[Depends(require_server)])
    def set_credit_limit(customer: Id, body: Limit, request: Request) -> Response:
        """Set the credit limit in one currency; running reservations stay, even above it."""
        unchanged = partial(check_unchanged, request)
        return with_digest(credit.set_limit(customer, body.limit, body.currency, unchanged))

    return router


def check_unchanged(request: Request, now: Standing, by_default: Standing) -> None:
    """Goes on when the client has seen the standing, with these or the default figures at its top; else Problem 412."""
    check_if_match(request, digest_of(now), digest_of(by_default), current=now)
    check_if_none_match(request, digest_of(now), current=now)

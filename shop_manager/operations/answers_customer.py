"""The models of one customer's answer, and what its route says in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from http_api.answers import AmountByCurrency, Answer, Currency, Moment, Page
from http_api.documented import documented
from shop_manager.operations.answers import ClerkLine
from shop_manager.sessions.answers import OrderItem
from shop_manager.sessions.repository import CustomerType
from shop_manager.sessions.view import PublicStatus


class CustomersMoney(Answer):
    """Of the orders on this page, what is reserved on cards, was paid, and was returned."""

    reserved: AmountByCurrency
    paid: AmountByCurrency
    returned: AmountByCurrency


class Told(Answer):
    """What the customer could see of the order from this moment on."""

    at: Moment
    status: PublicStatus
    payment_status: str
    fulfillment_status: str
    text: Annotated[str | None, Field(description="the words beside it")]


class Noted(Answer):
    """A note that an operator has left."""

    at: Moment
    by: str | None
    text: str | None


class CustomersOrder(ClerkLine):
    """One order of the customer's."""

    payment_status: str
    items: list[OrderItem]
    told: list[Told]
    notes: list[Noted]


class CreditNow(Answer):
    """What the customer may owe in one currency, as risk says. Amounts in minor units."""

    currency: Currency
    limit: int
    reserved: int
    outstanding: int
    available: int


class CustomerSeen(Answer):
    """A customer as operators see them."""

    id: str
    name: str
    email: str | None
    type: CustomerType
    money: CustomersMoney
    orders: Page[CustomersOrder]
    credit: list[CreditNow] | None
    credit_unknown: Annotated[str | None, Field(description="why there is no `credit`")]


READ_CUSTOMER = documented(CustomerSeen, says="The customer.", problems=["not_found"])

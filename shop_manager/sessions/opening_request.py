"""The body of `POST /shop/session`, checked and bounded.

Prices, totals, statuses and the customer's type are no part of it: only their owners set them (D4, S3).
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo

from http_api.answers import SHOWN_AS_SHIPPING_ADDRESS
from http_api.conventions import NOT_BLANK, Body, Currency, Id, example
from http_api.text_patterns import EMAIL, NO_CONTROLS, PRINTABLE
from shop_manager.sessions import examples

MOST_ITEMS = 500
MOST_OF_ONE = 1_000_000
"""From 1000 on the shop refuses politely; beyond this it is no quantity."""
JSON_BYTES = 8 * 1024
"""The document travels whole in every message: what is only carried along must be small."""
JSON_DEPTH = 4


def small_object(value: dict[str, Any]) -> dict[str, Any]:
    """The value; ValueError when it is larger than what is carried along."""
    _look_through(value, JSON_DEPTH)
    if len(orjson.dumps(value)) > JSON_BYTES:
        raise ValueError(f"the object is larger than {JSON_BYTES} bytes")
    return value


def _look_through(value: Any, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth == 0:
            raise ValueError(f"the object is nested deeper than {JSON_DEPTH} levels")
        for inner in value.values() if isinstance(value, dict) else value:
            _look_through(inner, depth - 1)


SmallObject = Annotated[dict[str, Any], AfterValidator(small_object)]
"""A JSON object of at most 8 KiB and 4 levels, carried along unread."""
ShippingAddress = Annotated[SmallObject, SHOWN_AS_SHIPPING_ADDRESS]
DisplayName = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=200), NOT_BLANK]
Email = Annotated[str, StringConstraints(pattern=EMAIL, max_length=254)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROLS)]


def _goes_with_items(total: int | None, others: ValidationInfo) -> int | None:
    if total is not None and others.data.get("items", ()) is None:
        raise ValueError("it goes with `items`; a cart that is filled later takes its own when it is ordered")
    return total


class Item(Body):
    """One line of an order that is brought along; whether it can be had is for the shop to say."""

    sku: Sku
    quantity: Annotated[int, Field(ge=0, le=MOST_OF_ONE, description="the shop takes 1 to 999")]


class PaymentMeans(Body):
    """A reference to the customer's card at the provider; never a card's number."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]


class OpenSession(Body):
    """Everything is optional: `{}` opens a guest's session in the default shop."""

    model_config = example(examples.OPENING)

    customer: Annotated[Id | None, Field(description="server key only; without it the session is a guest's")] = None
    shop: Id | None = None
    currency: Annotated[Currency | None, Field(description="the shop's own; others are refused")] = None
    items: Annotated[list[Item] | None, Field(max_length=MOST_ITEMS, description="the order, brought along")] = None
    expected_total: Annotated[
        int | None,
        Field(ge=0, lt=2**53, description="minor units: what `items` may come to; else the session fails"),
        AfterValidator(_goes_with_items),
    ] = None
    payment: Annotated[PaymentMeans | None, Field(description="the payment means, brought along")] = None
    name: Annotated[DisplayName | None, Field(description="for this session, whatever is known of the customer")] = None
    email: Email | None = None
    shipping_address: ShippingAddress | None = None
    client_reference: Annotated[str | None, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROLS)] = None
    metadata: SmallObject | None = None
    expires_in: Annotated[int | None, Field(ge=1, le=86_400, description="seconds")] = None

    def brought(self) -> dict[str, Any]:
        """What the session brings along for the customer's turns, and nothing else."""
        brought: dict[str, Any] = {}
        if self.items is not None:
            brought["items"] = [item.model_dump() for item in self.items]
        if self.expected_total is not None:
            brought["expected_total"] = self.expected_total
        if self.payment is not None:
            brought["payment"] = self.payment.model_dump()
        return brought

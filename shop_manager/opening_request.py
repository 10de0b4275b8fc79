"""What may be asked for when a session is opened: the body of `POST /shop/session`, checked and bounded.

Prices, totals, statuses and the customer's type are not among it: they are their owners' to say (D4, S3).
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, StringConstraints

from doors.answers import Body, Id

NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
MOST_ITEMS = 500
MOST_OF_ONE = 1_000_000
"""From 1000 on the shop refuses politely; beyond this it is no quantity."""
JSON_BYTES = 8 * 1024
"""The document travels whole in every message: what is only carried along must be small."""
JSON_DEPTH = 4


def _small_object(value: dict[str, Any]) -> dict[str, Any]:
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


SmallObject = Annotated[dict[str, Any], AfterValidator(_small_object)]
"""A JSON object of at most 8 KiB and 4 levels, carried along unread."""
Sku = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROLS)]


class Item(Body):
    """One line of an order that is brought along; whether it can be had is for the shop to say."""

    sku: Sku
    quantity: Annotated[int, Field(ge=0, le=MOST_OF_ONE, description="the shop takes 1 to 999")]


class PaymentMeans(Body):
    """A reference to the customer's card at the provider; never a card's number."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]


class OpenSession(Body):
    """Everything is optional: `{}` opens a guest's session in the default shop."""

    customer: Annotated[Id | None, Field(description="server key only; without it the session is a guest's")] = None
    shop: Id | None = None
    currency: Annotated[
        str | None, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="the shop's own; others are refused")
    ] = None
    items: Annotated[list[Item] | None, Field(max_length=MOST_ITEMS, description="the order, brought along")] = None
    payment: Annotated[PaymentMeans | None, Field(description="the payment means, brought along")] = None
    shipping_address: SmallObject | None = None
    client_reference: Annotated[str | None, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROLS)] = None
    metadata: SmallObject | None = None
    expires_in: Annotated[int | None, Field(ge=1, le=86_400, description="seconds")] = None

    def brought(self) -> dict[str, Any]:
        """What the session brings along for the customer's turns, and nothing else."""
        brought: dict[str, Any] = {}
        if self.items is not None:
            brought["items"] = [item.model_dump() for item in self.items]
        if self.payment is not None:
            brought["payment"] = self.payment.model_dump()
        return brought

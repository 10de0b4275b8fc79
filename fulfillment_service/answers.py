"""The models of fulfillment's answers, and what its routes say in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fulfillment_service.shipment import PublicShipmentStatus
from http_api.answers import Answer, Page, SessionId, ShippingAddress, SkuShown, shown_as
from http_api.documented import (
    ETAG,
    IDEMPOTENT_REPLAYED,
    IF_MATCH,
    SESSION_ETAG,
    documented,
    documented_put,
    documented_read,
)


class Stock(Answer):
    """The pieces of one article; reserved ones are no longer on hand."""

    model_config = shown_as({"sku": "SQUEAKY-BONE", "on_hand": 110, "reserved": 2, "shipped": 38})

    sku: SkuShown
    on_hand: Annotated[int, Field(description="pieces that can be ordered")]
    reserved: Annotated[int, Field(description="pieces that are held for orders")]
    shipped: Annotated[int, Field(description="pieces that have left")]


class ShipmentItem(Answer):
    """So many pieces of one article."""

    sku: SkuShown
    name: Annotated[str, Field(examples=["Squeaky bone"])]
    quantity: Annotated[int, Field(examples=[2])]


class Shipment(Answer):
    """A session's goods."""

    model_config = shown_as(
        {
            "session": "clk_0193k2v8p4q7",
            "status": "shipped",
            "carrier": "Dog Sled",
            "tracking": "SLED-1",
            "name": "Ada",
            "shipping_address": {"line1": "1 Harbour Street", "city": "Arlington", "country": "US"},
            "items": [{"sku": "SQUEAKY-BONE", "name": "Squeaky bone", "quantity": 2}],
        }
    )

    session: SessionId
    status: Annotated[
        PublicShipmentStatus,
        Field(description="`allocated`: reserved until it is shipped; `delivered`: a download; `released`: given back"),
    ]
    carrier: Annotated[str | None, Field(examples=["Dog Sled"])]
    tracking: Annotated[str | None, Field(examples=["SLED-1"])]
    name: Annotated[str | None, Field(description="who gets it, once it is asked for", examples=["Ada"])]
    shipping_address: ShippingAddress | None
    items: list[ShipmentItem]


READ_STOCK = documented_read(Stock, says="The stock.", problems=["not_found"])
SET_STOCK = documented_put(Stock, says="The stock as it is now.")
ADJUST_STOCK = documented(
    Stock,
    says="The stock as it is now.",
    headers=[ETAG, IDEMPOTENT_REPLAYED],
    takes=[IF_MATCH],
    problems=["out_of_stock", "idempotency_conflict", "version_conflict"],
    current=Stock,
    current_in=["out_of_stock", "idempotency_conflict", "version_conflict"],
)
LIST_SHIPMENTS = documented(Page[Shipment], says="A page of shipments.")
READ_SHIPMENT = documented(
    Shipment,
    says="The shipment.",
    headers=[SESSION_ETAG],
    problems=["not_found", "order_not_placed", "order_not_paid", "not_ready_yet", "session_ended"],
    shown_by=("customer", "server", "warehouse"),
)
SHIP = documented(
    Shipment,
    202,
    says="It has left.",
    headers=[SESSION_ETAG],
    problems=["not_found", "not_to_be_shipped_yet", "session_ended", "not_allowed_now"],
)

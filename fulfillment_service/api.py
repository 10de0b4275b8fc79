"""Fulfillment's HTTP routes: stock and shipments for the warehouse, a session's shipment for its customer."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from domain.refusals import Refused
from fulfillment_service import answers, queries
from fulfillment_service.shipment import PublicShipmentStatus, Shipment, ShippingLabel
from fulfillment_service.stock import MOST, Stock
from fulfillment_service.store import read_shipments
from fulfillment_service.use_cases import Adjusted, Adjustment, ShippingUseCases, StockUseCases
from http_api.conventions import (
    NOT_BLANK,
    Body,
    Id,
    Sku,
    decode_cursor,
    encode_cursor,
    example,
    unless_changed,
    unless_known,
    with_digest,
)
from http_api.principals import (
    AnyPrincipal,
    Principal,
    is_server_or_owner,
    require_kind,
    require_server_or_warehouse,
    require_warehouse,
)
from http_api.problems import Problem, invalid, not_found
from http_api.routes import Routes
from http_api.text_patterns import PRINTABLE
from messaging.database import Database
from messaging.settled import settled_at

LabelText = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=100), NOT_BLANK]


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise ValueError("zero pieces are no difference")
    return delta


NOT_ZERO = AfterValidator(_not_zero)


class OnHand(Body):
    model_config = example({"on_hand": 110})

    on_hand: Annotated[int, Field(ge=0, le=MOST, description="pieces that can be ordered")]


class Difference(Body):
    model_config = example({"delta": -2, "reason": "broken", "reference": "count-17"})

    delta: Annotated[int, Field(ge=-MOST, le=MOST, description="pieces more on hand; below zero: fewer"), NOT_ZERO]
    reason: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=500), NOT_BLANK]
    reference: Annotated[Id, Field(description="your name for this one: the same again changes nothing")]


class Parcel(Body):
    model_config = example({"carrier": "Dog Sled", "tracking": "SLED-1"})

    carrier: LabelText
    tracking: LabelText


def stock_router(stock: StockUseCases) -> APIRouter:
    """An article's stock, for the warehouse and the shop's backend."""
    router = Routes(tags=["fulfillment"], dependencies=[Depends(require_server_or_warehouse)])

    @router.get("/fulfillment/stock/{sku}", **answers.READ_STOCK)
    def read_stock(sku: Sku, request: Request) -> Response:
        """The article's pieces; reserved ones are no longer on hand."""
        return unless_known(request, stock_or_404(stock.show(sku)))

    @router.put("/fulfillment/stock/{sku}", **answers.SET_STOCK)
    def set_stock(sku: Sku, body: OnHand, request: Request) -> Response:
        """So many pieces are on hand now, beside those that are reserved.

        Without `If-Match` this overwrites what was sold since somebody counted.
        """
        return with_digest(asdict(stock.count(sku, body.on_hand, partial(check_unchanged, request))))

    @router.post("/fulfillment/stock/{sku}/adjust", **answers.ADJUST_STOCK)
    def adjust_stock(sku: Sku, body: Difference, request: Request) -> Response:
        """So many pieces more on hand, or fewer, whatever is sold meanwhile; the same `reference` counts once."""
        wanted = Adjustment(body.delta, body.reason, body.reference)
        outcome = stock.adjust(sku, wanted, partial(check_unchanged, request))
        answer = with_digest(adjusted_or_problem(outcome))
        if outcome.replayed:
            answer.headers["Idempotent-Replayed"] = "true"
        return answer

    return router


def check_unchanged(request: Request, stock: Stock | None) -> None:
    """Goes on when the stock is as the client has seen it, by `If-Match` and `If-None-Match`; else Problem 412."""
    unless_changed(request, asdict(stock) if stock else None)


def adjusted_or_problem(outcome: Adjusted) -> dict[str, Any]:
    if outcome.refusal is None:
        return asdict(outcome.stock)
    code, detail = outcome.refusal.code, outcome.refusal.detail
    if code == "quantity_out_of_range":
        raise invalid("$.delta", detail)
    param = "$.reference" if code == "idempotency_conflict" else "$.delta"
    raise Problem(code, detail, param=param, current=asdict(outcome.stock))


def shipments_router(database: Database, shipping: ShippingUseCases) -> APIRouter:
    """The warehouse's list, each session's shipment, and the report that it has left.

    To be included after `stock_router`: `/fulfillment/{session}` would match `/fulfillment/stock` too.
    """
    router = Routes(tags=["fulfillment"])

    @router.get("/fulfillment/shipments", **answers.LIST_SHIPMENTS, dependencies=[Depends(require_warehouse)])
    def list_shipments(
        status: PublicShipmentStatus = "allocated",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """Shipments in the order in which they came to the status: `allocated` are those that the warehouse has been
        asked to ship and has not yet. The last page has a `next_cursor` too, which leads on to what comes later.
        """
        after = decode_cursor(cursor, [int, str]) if cursor else (-1, "")
        before = settled_at(database)
        with database.read() as tx:
            listed = queries.list_shipments(tx, status, (after[0], after[1]), before, most=limit + 1)
        shown = listed[:limit]
        last = encode_cursor([shown[-1].since, shown[-1].session]) if shown else cursor
        return {"data": [as_json(each) for each in shown], "has_more": len(listed) > limit, "next_cursor": last}

    @router.get("/fulfillment/{session}", **answers.READ_SHIPMENT)
    def read_shipment(session: Id, principal: AnyPrincipal) -> dict[str, Any]:
        """The session's shipment, for its own customer, the warehouse and the shop's backend."""
        require_kind(principal, "customer", "server", "warehouse")
        with database.read() as tx:
            shipment = read_shipments(tx, [session]).get(session)
        if shipment is None or not may_see(principal, shipment.secret_sha256):
            raise not_found()
        return as_json(shipment)

    @router.post(
        "/fulfillment/{session}/ship", status_code=202, **answers.SHIP, dependencies=[Depends(require_warehouse)]
    )
    def ship(session: Id, body: Parcel) -> dict[str, Any]:
        """The goods have left; again is the same, with the label they left under."""
        outcome = shipping.ship({session: ShippingLabel(body.carrier, body.tracking)})[session]
        if isinstance(outcome, Refused):
            raise not_found() if outcome.code == "not_found" else refused(outcome, session)
        return as_json(outcome)

    return router


def may_see(principal: Principal, secret_sha256: str) -> bool:
    return principal.kind == "warehouse" or is_server_or_owner(principal, secret_sha256)


def refused(outcome: Refused, session: str) -> Problem:
    return Problem(outcome.code, outcome.detail, session_id=session)


def stock_or_404(stock: Stock | None) -> dict[str, Any]:
    if stock is None:
        raise not_found()
    return asdict(stock)


def as_json(shipment: Shipment) -> dict[str, Any]:
    """`{session, status, carrier, tracking, name, shipping_address, items: [{sku, name, quantity}]}`."""
    to = shipment.recipient
    return {
        "session": shipment.session,
        "status": shipment.public_status,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "name": to.name if to else None,
        "shipping_address": to.shipping_address if to else None,
        "items": [asdict(item) for item in shipment.items],
    }

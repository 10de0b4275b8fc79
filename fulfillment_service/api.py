"""Fulfillment's doors: stock and shipments for the warehouse, a session's shipment for its customer (api.md)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from domain.refusals import Refused
from doors.answers import Body, Id, decode_cursor, encode_cursor, page
from doors.callers import Caller, caller, may_act_on, require_server_or_warehouse, require_warehouse
from doors.problems import Problem, not_found
from fulfillment_service.dock import Dock
from fulfillment_service.shipment import Label, PublicStatus, Shipment
from fulfillment_service.stock import Stock
from fulfillment_service.store import list_shipments, read_shipments, set_on_hand, stock_of
from messaging.database import Database

MOST = 10**9
Sku = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$", max_length=100)
]
Whoever = Annotated[Caller, Depends(caller)]


class OnHand(Body):
    on_hand: Annotated[int, Field(ge=0, le=MOST, description="pieces that can be ordered")]


class Parcel(Body):
    carrier: Text
    tracking: Text


def stock_router(database: Database) -> APIRouter:
    """`GET` and `PUT /fulfillment/stock/{sku}`, for the warehouse and the shop's backend."""
    router = APIRouter(tags=["fulfillment"], dependencies=[Depends(require_server_or_warehouse)])

    @router.get("/fulfillment/stock/{sku}")
    def read_stock(sku: Sku) -> dict[str, Any]:
        """The article's pieces; reserved ones are no longer on hand."""
        with database.read() as tx:
            return found(stock_of(tx, sku))

    @router.put("/fulfillment/stock/{sku}")
    def put_stock(sku: Sku, body: OnHand) -> dict[str, Any]:
        """So many pieces are on hand now, beside those that are reserved."""
        with database.begin() as tx:
            set_on_hand(tx, sku, body.on_hand)
            return found(stock_of(tx, sku))

    return router


def shipments_router(database: Database, dock: Dock) -> APIRouter:
    """The warehouse's list, each session's shipment, and the word that it has left.

    To be included after the stock's routes: a session is named where they say `stock`.
    """
    router = APIRouter(tags=["fulfillment"])

    @router.get("/fulfillment/shipments", dependencies=[Depends(require_warehouse)])
    def read_list(
        status: PublicStatus = "allocated", limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
    ) -> dict[str, Any]:
        """Shipments, oldest session first. `allocated`: what the warehouse has been asked to ship and has not yet."""
        (after,) = decode_cursor(cursor, [str]) if cursor else ("",)
        with database.read() as tx:
            listed = list_shipments(tx, status, after=after, most=limit + 1)
        more = encode_cursor([listed[limit - 1].session]) if len(listed) > limit else None
        return page([as_json(each) for each in listed], limit, more)

    @router.get("/fulfillment/{session}")
    def read_shipment(session: Id, who: Whoever) -> dict[str, Any]:
        """The session's shipment, for its own customer, the warehouse and the shop's backend."""
        if who.kind not in ("customer", "server", "warehouse"):
            raise Problem("unauthorized" if who.kind == "nobody" else "forbidden")
        with database.read() as tx:
            shipment = read_shipments(tx, [session]).get(session)
        if shipment is None or not may_see(who, shipment.secret_sha256):
            raise not_found()
        return as_json(shipment)

    @router.post("/fulfillment/{session}/ship", status_code=202, dependencies=[Depends(require_warehouse)])
    def ship(session: Id, body: Parcel) -> dict[str, Any]:
        """The goods have left; again is the same, with the label they left under."""
        outcome = dock.ship({session: Label(body.carrier, body.tracking)})[session]
        if isinstance(outcome, Refused):
            raise not_found() if outcome.code == "not_found" else refused(outcome, session)
        return as_json(outcome)

    return router


def may_see(who: Caller, secret_sha256: str) -> bool:
    return who.kind in ("server", "warehouse") or may_act_on(who, secret_sha256)


def refused(outcome: Refused, session: str) -> Problem:
    return Problem(outcome.code, outcome.detail, session_id=session)


def found(stock: Stock | None) -> dict[str, Any]:
    if stock is None:
        raise not_found()
    return asdict(stock)


def as_json(shipment: Shipment) -> dict[str, Any]:
    """`{session, status, carrier, tracking, items: [{sku, name, quantity}]}`."""
    return {
        "session": shipment.session,
        "status": shipment.public_status,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "items": [asdict(item) for item in shipment.items],
    }

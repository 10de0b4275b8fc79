"""When fulfillment is asked: commands and what is answered to them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from domain.messages import Command
from domain.refusals import Refused
from fulfillment_service.dock import send_off
from fulfillment_service.request import ordered_items, secret_of
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.shipment import Shipment, ask_for, release
from fulfillment_service.stock import give_back, reserve, shortage
from fulfillment_service.store import FulfillmentBooks, open_books
from fulfillment_service.warehouse import sled_label
from messaging.turns import Answer, Done, Failing, Service, Undone, Waiting

NOTHING = {"status": "none", "carrier": None, "tracking": None}


def allocate_stock(command: Command, books: FulfillmentBooks, now: int) -> Answer:
    """AllocateStock: reserve all the articles, or none."""
    items = ordered_items(command)
    refusal = shortage({item.sku: item.quantity for item in items}, books.stock)
    if refusal:
        return refusal
    for item in items:
        books.move(reserve(books.stock[item.sku], item.quantity))
    shipment = Shipment(command.clerk, secret_of(command), "allocated", items)
    books.keep(shipment)
    return Done(shipment.section())


def release_stock(command: Command, books: FulfillmentBooks, now: int) -> Answer:
    """ReleaseStock: give back what was recorded, whatever the document claims (U4)."""
    shipment = books.shipment(command.clerk)
    if shipment is None or shipment.status == "released":
        return Undone(NOTHING if shipment is None else shipment.section())
    released = release(shipment)
    if isinstance(released, Refused):
        return Failing(released)
    for item in shipment.items:
        books.move(give_back(books.stock[item.sku], item.quantity))
    books.keep(released)
    return Undone(released.section())


def ship_order(command: Command, books: FulfillmentBooks, now: int, at_once: bool) -> Answer:
    """ShipOrder: ask the warehouse and wait for it; an automatic one without a pause ships in the same moment."""
    shipment = books.shipment(command.clerk)
    if shipment is None:
        raise ValueError("nothing was allocated for this session: there is nothing to ship")
    if shipment.status == "shipped":
        return Done(shipment.section())
    asked = ask_for(shipment, command.step, now)
    if not at_once:
        books.keep(asked)
        return Waiting()
    shipped = send_off(asked, sled_label(command.clerk), books, now)
    return shipped if isinstance(shipped, Refused) else Done(shipped.section())


def deliver_order(command: Command, books: FulfillmentBooks, now: int) -> Answer:
    """DeliverOrder: downloads are there at once, and there are always enough of them."""
    shipment = Shipment(command.clerk, secret_of(command), "delivered", ordered_items(command))
    books.keep(shipment)
    return Done(shipment.section())


def _no_locks(command: Command) -> Iterable[str]:
    return ()  # articles are competed for by their rows, in the order of the skus: see store.read_stock


def fulfillment(settings: FulfillmentSettings) -> Service[FulfillmentBooks]:
    """The service: who knows its commands finds each rule here."""
    at_once = settings.ships_at_once
    return Service(
        name="fulfillment",
        rules={
            ("AllocateStock", 1): allocate_stock,
            ("ReleaseStock", 1): release_stock,
            ("ShipOrder", 1): partial(ship_order, at_once=at_once),
            ("DeliverOrder", 1): deliver_order,
        },
        open_books=partial(open_books, ships_at_once=at_once),
        locks=_no_locks,
        blank=NOTHING,
    )

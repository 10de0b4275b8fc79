"""Fulfillment's commands: one handler each, and the definition of the service."""

from __future__ import annotations

from functools import partial

from domain.messages import Command
from domain.refusals import Refused
from fulfillment_service.clerk_document import items_to_ship, ordered_items, recipient_of, secret_of
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.shipment import Shipment, ask_for, deliver, release
from fulfillment_service.stock import give_back, reserve, shortage
from fulfillment_service.store import FulfillmentUnitOfWork, open_unit_of_work
from fulfillment_service.use_cases import send_off
from fulfillment_service.warehouse import sled_label
from messaging.turns import Done, Failing, HandlerResult, ServiceDefinition, Undone, Waiting

NOTHING = {"status": "none", "carrier": None, "tracking": None}


def allocate_stock(command: Command, uow: FulfillmentUnitOfWork, now: int) -> HandlerResult:
    """AllocateStock: reserve all the articles, or none. Of downloads there are always enough."""
    items = items_to_ship(command)
    if not items:
        downloads = Shipment(command.clerk, secret_of(command), "downloads", ordered_items(command))
        uow.keep(downloads)
        return Done(downloads.section())
    refusal = shortage({item.sku: item.quantity for item in items}, uow.stock)
    if refusal:
        return refusal
    for item in items:
        uow.move(reserve(uow.stock[item.sku], item.quantity))
    shipment = Shipment(command.clerk, secret_of(command), "allocated", items)
    uow.keep(shipment)
    return Done(shipment.section())


def release_stock(command: Command, uow: FulfillmentUnitOfWork, now: int) -> HandlerResult:
    """ReleaseStock: give back what was recorded, whatever the document claims (U4)."""
    shipment = uow.shipment(command.clerk)
    if shipment is None or shipment.status == "released":
        return Undone(NOTHING if shipment is None else shipment.section())
    released = release(shipment, now)
    if isinstance(released, Refused):
        return Failing(released)
    for item in shipment.items if shipment.status != "downloads" else ():
        uow.move(give_back(uow.stock[item.sku], item.quantity))
    uow.keep(released)
    return Undone(released.section())


def ship_order(command: Command, uow: FulfillmentUnitOfWork, now: int, at_once: bool) -> HandlerResult:
    """ShipOrder: ask the warehouse and wait for it; an automatic one without a pause ships in the same moment.

    An order of downloads only is delivered at once: the warehouse has nothing to do.
    """
    shipment = uow.shipment(command.clerk)
    if shipment is None:
        raise ValueError("nothing was allocated for this session: there is nothing to ship")
    if shipment.status in ("shipped", "delivered"):
        return Done(shipment.section())
    if shipment.status == "downloads":
        delivered = deliver(shipment, now)
        uow.keep(delivered)
        return Done(delivered.section())
    asked = ask_for(shipment, command.step, recipient_of(command), now)
    if not at_once:
        uow.keep(asked)
        return Waiting()
    shipped = send_off(asked, sled_label(command.clerk), uow, now)
    return shipped if isinstance(shipped, Refused) else Done(shipped.section())


def deliver_order(command: Command, uow: FulfillmentUnitOfWork, now: int) -> HandlerResult:
    """DeliverOrder: downloads are there at once, and there are always enough of them."""
    shipment = Shipment(command.clerk, secret_of(command), "delivered", ordered_items(command), ended_at=now)
    uow.keep(shipment)
    return Done(shipment.section())


def fulfillment(settings: FulfillmentSettings) -> ServiceDefinition[FulfillmentUnitOfWork]:
    """The service. Commands compete for articles by their rows (store.read_stock), beside the Clerk's own lock."""
    at_once = settings.ships_at_once
    return ServiceDefinition(
        name="fulfillment",
        handlers={
            ("AllocateStock", 1): allocate_stock,
            ("ReleaseStock", 1): release_stock,
            ("ShipOrder", 1): partial(ship_order, at_once=at_once),
            ("DeliverOrder", 1): deliver_order,
        },
        open_unit_of_work=partial(open_unit_of_work, ships_at_once=at_once),
        blank=NOTHING,
    )

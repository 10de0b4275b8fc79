"""Fulfillment put together: its participant and its HTTP routes."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from fulfillment_service.api import shipments_router, stock_router
from fulfillment_service.handlers import fulfillment
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.store import technical, turns
from fulfillment_service.use_cases import ShippingUseCases, StockUseCases
from fulfillment_service.warehouse import ship_due
from messaging.broker import Transport
from messaging.database import Database
from messaging.migrated import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.senders import BY_NAME, Senders
from messaging.turns import Dispatcher
from messaging.worker import Worker


def build(
    settings: FulfillmentSettings, database: Database, transport: Transport, senders: Senders = BY_NAME
) -> tuple[Participant, list[APIRouter]]:
    """The participant and the routers of fulfillment."""
    dispatcher = Dispatcher(fulfillment(settings), turns)
    outbox = Outbox(technical.outbox, database, transport)
    worker = Worker("fulfillment", database, technical, outbox, dispatcher.handle, senders=senders)
    shipping = ShippingUseCases(database, dispatcher, outbox)

    def automatic_warehouse() -> None:
        ship_due(shipping, settings.auto_after)

    participant = Participant(
        "fulfillment",
        database,
        outbox,
        [worker],
        partial(require_migrated, database, "fulfillment_service"),
        ticks=[automatic_warehouse] if settings.warehouse == "auto" else [],
    )
    return participant, [stock_router(StockUseCases(database)), shipments_router(database, shipping)]

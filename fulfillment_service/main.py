"""Fulfillment put together."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from fulfillment_service.api import shipments_router, stock_router
from fulfillment_service.dock import Dock
from fulfillment_service.handlers import fulfillment
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.store import schema, turns
from fulfillment_service.warehouse import ship_due
from messaging.broker import Link
from messaging.database import Database
from messaging.migrations import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.turns import Desk
from messaging.worker import Worker


def build(settings: FulfillmentSettings, database: Database, link: Link) -> tuple[Participant, list[APIRouter]]:
    """The running part and the doors of fulfillment."""
    desk = Desk(fulfillment(settings), turns)
    outbox = Outbox(schema.outbox, database, link)
    worker = Worker("fulfillment", database, schema, outbox, desk.handle)
    dock = Dock(database, desk, outbox)

    def automatic_warehouse() -> None:
        ship_due(dock, settings.auto_after)

    participant = Participant(
        "fulfillment",
        database,
        outbox,
        [worker],
        partial(require_migrated, database, "fulfillment_service"),
        ticks=[automatic_warehouse] if settings.warehouse == "auto" else [],
    )
    return participant, [stock_router(database), shipments_router(database, dock)]

"""The shop put together."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from messaging.broker import Link
from messaging.database import Database
from messaging.migrations import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.turns import Desk
from messaging.worker import Worker
from shop_service.api import carts_router, catalogue_router
from shop_service.counter import Counter
from shop_service.entrance import Entrance
from shop_service.handlers import shop
from shop_service.settings import ShopSettings
from shop_service.store import schema, turns


def build(settings: ShopSettings, database: Database, link: Link) -> tuple[Participant, list[APIRouter]]:
    """The running part and the doors of the shop."""
    desk = Desk(shop(), turns)
    outbox = Outbox(schema.outbox, database, link)
    worker = Worker("shop", database, schema, outbox, desk.handle)
    participant = Participant("shop", database, outbox, [worker], partial(require_migrated, database, "shop_service"))
    entrance = Entrance(database, limit=settings.cart_wait, most=settings.cart_waiters)
    return participant, [catalogue_router(database), carts_router(Counter(database, desk, outbox), entrance)]

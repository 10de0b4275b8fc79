"""The shop put together: its participant and its HTTP routes."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from http_api.access_check import AccessCheck, BoundedWait
from messaging.broker import Transport
from messaging.database import Database
from messaging.migrated import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.senders import BY_NAME, Senders
from messaging.turns import Dispatcher
from messaging.worker import Worker
from shop_service.api import carts_router, catalogue_router
from shop_service.cart_reports import CartReports
from shop_service.handlers import shop
from shop_service.queries import find_session
from shop_service.settings import ShopSettings
from shop_service.store import technical, turns
from shop_service.use_cases import CartUseCases


def build(
    settings: ShopSettings, database: Database, transport: Transport, senders: Senders = BY_NAME
) -> tuple[Participant, list[APIRouter]]:
    """The participant and the routers of the shop."""
    dispatcher = Dispatcher(shop(), turns)
    outbox = Outbox(technical.outbox, database, transport)
    worker = Worker("shop", database, technical, outbox, dispatcher.handle, senders=senders)
    participant = Participant(
        "shop",
        database,
        outbox,
        [worker],
        partial(require_migrated, database, "shop_service"),
        ticks=[CartReports(database, dispatcher, outbox).tick],
    )
    access = AccessCheck(partial(find_session, database), BoundedWait(settings.cart_waiters), settings.cart_wait)
    return participant, [catalogue_router(database), carts_router(CartUseCases(database, dispatcher, outbox), access)]

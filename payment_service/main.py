"""Payment put together."""

from __future__ import annotations

from fastapi import APIRouter

from messaging.broker import Link
from messaging.database import Database
from messaging.migrations import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Check, Participant
from messaging.turns import Desk
from messaging.worker import Worker
from payment_service.api import notices_router, payment_router
from payment_service.calls import Calls
from payment_service.handlers import payment
from payment_service.later import Later
from payment_service.mailbox import Mailbox
from payment_service.provider import Provider
from payment_service.settings import PaymentSettings
from payment_service.store import ledger, outages, schema, turns
from payment_service.till import Till
from payment_service.trial import TestProvider


def build(
    settings: PaymentSettings, database: Database, link: Link, *, provider: Provider | None = None
) -> tuple[Participant, list[APIRouter]]:
    """The running part and the doors of payment; `provider` replaces the one that the settings name."""
    mailbox = Mailbox()
    desk = Desk(payment(mailbox.note), turns)
    outbox = Outbox(schema.outbox, database, link)
    outer_world = provider or TestProvider(database, ledger, outages, Later())
    calls = Calls(database, desk, outbox, outer_world, mailbox)
    worker = Worker("payment", database, schema, outbox, desk.handle, after_commit=mailbox.committed)

    def prepare() -> None:
        require_migrated(database, "payment_service")
        calls.start()

    participant = Participant(
        "payment",
        database,
        outbox,
        [worker],
        prepare,
        ticks=[mailbox.look],
        on_stop=calls.stop,
        more_checks=lambda: {
            "provider_calls": Check(
                calls.alive, "the provider is asked" if calls.alive else "the provider is not asked any more"
            )
        },
    )
    till = Till(
        database,
        calls,
        arrival_wait=settings.arrival_wait,
        answer_wait=settings.answer_wait,
        waiters=settings.waiters,
    )
    return participant, [notices_router(database, calls, settings.provider_secret), payment_router(till)]

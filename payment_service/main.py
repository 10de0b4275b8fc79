"""Payment put together: its participant and its HTTP routes."""

from __future__ import annotations

from fastapi import APIRouter

from messaging.broker import Transport
from messaging.database import Database
from messaging.health_check import HealthCheck
from messaging.migrated import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.senders import BY_NAME, Senders
from messaging.turns import Dispatcher
from messaging.worker import Worker
from payment_service.api import payment_router, webhooks_router
from payment_service.card_tries import CardTries
from payment_service.fake_provider import FakeProvider
from payment_service.handlers import payment
from payment_service.provider import Provider
from payment_service.provider_gateway import ProviderGateway
from payment_service.reports import PaymentReports
from payment_service.scheduler import Scheduler
from payment_service.settings import PaymentSettings
from payment_service.store import ledger, outages, technical, turns
from payment_service.use_cases import PaymentUseCases
from payment_service.work_queue import WorkQueue


def build(
    settings: PaymentSettings,
    database: Database,
    transport: Transport,
    senders: Senders = BY_NAME,
    *,
    provider: Provider | None = None,
) -> tuple[Participant, list[APIRouter]]:
    """The participant and the routers of payment; `provider` replaces the one that the settings name."""
    work_queue = WorkQueue()
    dispatcher = Dispatcher(payment(work_queue.add_uncommitted), turns)
    outbox = Outbox(technical.outbox, database, transport)
    provider = provider or FakeProvider(database, ledger, outages, Scheduler())
    gateway = ProviderGateway(database, dispatcher, outbox, provider, work_queue)
    reports = PaymentReports(database, dispatcher, outbox)
    worker = Worker(
        "payment",
        database,
        technical,
        outbox,
        dispatcher.handle,
        after_commit=work_queue.committed,
        senders=senders,
    )

    def prepare() -> None:
        require_migrated(database, "payment_service")
        gateway.start()

    participant = Participant(
        "payment",
        database,
        outbox,
        [worker],
        prepare,
        ticks=[work_queue.check_due, reports.tick],
        on_stop=gateway.stop,
        collectors=(gateway.figures.answers,),
        more_checks=lambda: {
            "provider_calls": HealthCheck(
                gateway.alive, "the provider is asked" if gateway.alive else "the provider is not asked any more"
            )
        },
    )
    payments = PaymentUseCases(
        database,
        gateway,
        reports,
        arrival_wait=settings.arrival_wait,
        answer_wait=settings.answer_wait,
        waiters=settings.waiters,
        tries=CardTries(settings.declined_per_address),
    )
    return participant, [webhooks_router(database, gateway, settings.provider_secret), payment_router(payments)]

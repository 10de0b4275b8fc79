"""Risk put together: its participant and its HTTP routes."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from messaging.broker import Transport
from messaging.database import Database
from messaging.migrated import require_migrated
from messaging.outbox import Outbox
from messaging.participant import Participant
from messaging.senders import BY_NAME, Senders
from messaging.turns import Dispatcher
from messaging.worker import Worker
from risk_service.api import risk_router
from risk_service.handlers import risk
from risk_service.settings import RiskSettings
from risk_service.store import technical, turns
from risk_service.use_cases import CreditUseCases


def build(
    settings: RiskSettings, database: Database, transport: Transport, senders: Senders = BY_NAME
) -> tuple[Participant, list[APIRouter]]:
    """The participant and the routers of risk."""
    dispatcher = Dispatcher(risk(settings), turns)
    outbox = Outbox(technical.outbox, database, transport)
    worker = Worker("risk", database, technical, outbox, dispatcher.handle, senders=senders)
    participant = Participant("risk", database, outbox, [worker], partial(require_migrated, database, "risk_service"))
    return participant, [risk_router(CreditUseCases(database, settings.limits()))]

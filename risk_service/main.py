"""Risk put together."""

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
from risk_service.api import risk_router
from risk_service.handlers import risk
from risk_service.settings import RiskSettings
from risk_service.store import schema, turns


def build(settings: RiskSettings, database: Database, link: Link) -> tuple[Participant, list[APIRouter]]:
    """The running part and the doors of risk."""
    desk = Desk(risk(settings), turns)
    outbox = Outbox(schema.outbox, database, link)
    worker = Worker("risk", database, schema, outbox, desk.handle)
    participant = Participant("risk", database, outbox, [worker], partial(require_migrated, database, "risk_service"))
    return participant, [risk_router(database, settings)]

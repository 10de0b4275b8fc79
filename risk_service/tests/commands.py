"""For risk's tests: a session's commands, the replies to them, and the rows that must not change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from domain.messages import Command, Reply
from messaging.database import Database
from messaging.turns import Dispatcher
from risk_service.handlers import risk
from risk_service.settings import RiskSettings
from risk_service.store import CreditUnitOfWork, accounts, more_accounts, reservations, settlements, turns

NOON = 1_764_000_000_000
"""The clock of the tests' databases, in ms."""
BUSINESS = (accounts, more_accounts, reservations, settlements)
SETTINGS = RiskSettings(default_limit=10_000, guest_limit=5_000)


def reserves(session: str, total: object, customer: str | None = "ada", currency: str | None = None) -> Command:
    command = _command(session, "credit", "ReserveCredit", "do", total, customer)
    head = {"id": session} if currency is None else {"id": session, "currency": currency}
    return replace(command, document={**command.document, "clerk": head})


def releases(session: str, total: object = 1, customer: str | None = "ada") -> Command:
    return _command(session, "credit", "ReleaseCredit", "undo", total, customer)


def settles(session: str, payment: dict[str, Any] | None = None, customer: str | None = "ada") -> Command:
    return _command(session, "settle", "SettleCredit", "do", 1, customer, payment)


def _command(
    session: str,
    step: str,
    name: str,
    direction: Any,
    total: object,
    customer: str | None,
    payment: dict[str, Any] | None = None,
) -> Command:
    content = {
        "clerk": {"id": session},
        "customer": {"id": customer},
        "order": {"status": "placed", "total": total},
        "payment": payment or {"status": "captured"},
        "metadata": {"left": "alone"},
    }
    return Command(
        service="risk",
        name=name,
        version=1,
        clerk=session,
        step=step,
        attempt=1,
        direction=direction,
        document=content,
        sent_at=NOON,
    )


def dispatcher() -> Dispatcher[CreditUnitOfWork]:
    return Dispatcher(risk(SETTINGS), turns)


def replies_to(database: Database, *commands: Command) -> list[Reply]:
    """What risk replies to one batch."""
    with database.begin() as tx:
        replies = dispatcher().handle(tx, commands)
    return [reply for reply in replies if isinstance(reply, Reply)]


def business_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as tx:
        return {table.name: sorted(tuple(row) for row in tx.execute(select(table))) for table in BUSINESS}

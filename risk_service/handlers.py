"""Risk's commands: one handler each, and the definition of the service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from domain.document import order_total
from domain.messages import Command
from domain.refusals import Refused
from messaging.turns import Done, HandlerResult, ServiceDefinition, Undone
from risk_service.clerk_document import account_of, currency_of, lesson_of
from risk_service.credit import is_guest, learn, owe, reserve
from risk_service.settings import RiskSettings
from risk_service.store import CreditUnitOfWork, open_unit_of_work

NOTHING = {"status": "none", "amount": 0}


def reserve_credit(command: Command, uow: CreditUnitOfWork, now: int) -> HandlerResult:
    """ReserveCredit: hold the order's total, in the same transaction as the answer."""
    account = uow.account(account_of(command), currency_of(command))
    total = order_total(command.document)
    reservation = reserve(account, uow.reserved(account), command.clerk, total)
    if isinstance(reservation, Refused):
        return reservation
    uow.hold(reservation)
    return Done({"status": "reserved", "amount": reservation.amount})


def release_credit(command: Command, uow: CreditUnitOfWork, now: int) -> HandlerResult:
    """ReleaseCredit: give back what was recorded, whatever the document claims (U4)."""
    released = uow.release(command.clerk)
    return Undone({"status": "released", "amount": released.amount if released else 0})


def settle_credit(command: Command, uow: CreditUnitOfWork, now: int) -> HandlerResult:
    """SettleCredit: the reservation becomes a settlement, its credit is free again, the score changes."""
    held = uow.release(command.clerk)
    if held is None:
        return Done({"status": "settled"})
    lesson = lesson_of(command)
    held = replace(held, currency=held.currency or currency_of(command))
    uow.settle(held, lesson)
    if not is_guest(held.customer) and held.amount:
        uow.change(owe(uow.account(held.customer, held.currency), held.amount, lesson))
        uow.rate(held.customer, learn(uow.score(held.customer), held.amount, lesson))
    return Done({"status": "settled", "amount": held.amount})


def _locks(command: Command) -> Iterable[str]:
    return (f"customer:{account_of(command)}",)


def risk(settings: RiskSettings) -> ServiceDefinition[CreditUnitOfWork]:
    """The service: its handlers by command and version, and what else makes it this one."""
    return ServiceDefinition(
        name="risk",
        handlers={
            ("ReserveCredit", 1): reserve_credit,
            ("ReleaseCredit", 1): release_credit,
            ("SettleCredit", 1): settle_credit,
        },
        open_unit_of_work=partial(open_unit_of_work, limits=settings.limits()),
        locks=_locks,
        blank=NOTHING,
    )

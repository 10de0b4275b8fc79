"""When risk is asked: commands and what is answered to them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from domain.document import part
from domain.messages import Command
from domain.refusals import Refused
from messaging.turns import Answer, Done, Service, Undone
from risk_service.credit import Lesson, learn, reserve
from risk_service.settings import RiskSettings
from risk_service.store import CreditBooks, account_of, is_guest, open_books

NOTHING = {"status": "none", "amount": 0}


def reserve_credit(command: Command, books: CreditBooks, now: int) -> Answer:
    """ReserveCredit: hold the order's total, in the same transaction as the answer."""
    customer = account_of(command)
    total = order_total(command)
    outcome = reserve(books.account(customer), books.reserved(customer), command.clerk, total)
    if isinstance(outcome, Refused):
        return outcome
    books.hold(outcome)
    return Done({"status": "reserved", "amount": outcome.amount})


def release_credit(command: Command, books: CreditBooks, now: int) -> Answer:
    """ReleaseCredit: give back what was recorded, whatever the document claims (U4)."""
    released = books.release(command.clerk)
    return Undone({"status": "released", "amount": released.amount if released else 0})


def settle_credit(command: Command, books: CreditBooks, now: int) -> Answer:
    """SettleCredit: the reservation becomes history, the credit is free again, the score learns."""
    held = books.release(command.clerk)
    if held is None:
        return Done({"status": "settled"})
    lesson = _lesson(command)
    books.settle(held, lesson)
    if not is_guest(held.customer):
        books.change(learn(books.account(held.customer), held.amount, lesson))
    return Done({"status": "settled", "amount": held.amount})


def order_total(command: Command) -> int:
    """The order's total as the shop reckoned it; ValueError when the document has none."""
    total = part(command.document, "order").get("total")
    if type(total) is not int or total < 0:
        raise ValueError("document.order.total is no amount in minor units")
    return total


def _lesson(command: Command) -> Lesson:
    payment = part(command.document, "payment")
    if payment.get("status") == "lost":
        return "lost"
    return "late" if payment.get("late") else "paid"


def _locks(command: Command) -> Iterable[str]:
    return (f"customer:{account_of(command)}",)


def risk(settings: RiskSettings) -> Service[CreditBooks]:
    """The service: who knows its commands finds each rule here."""
    return Service(
        name="risk",
        rules={
            ("ReserveCredit", 1): reserve_credit,
            ("ReleaseCredit", 1): release_credit,
            ("SettleCredit", 1): settle_credit,
        },
        open_books=partial(open_books, default_limit=settings.default_limit, guest_limit=settings.guest_limit),
        locks=_locks,
        blank=NOTHING,
    )

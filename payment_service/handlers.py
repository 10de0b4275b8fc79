"""When payment is asked: commands and what is answered to them.

Every rule makes its move and then answers what the payment's state says; `calls.py` does the same when the provider has
answered. So a question gets the same answer whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from domain.document import part
from domain.messages import Command
from domain.refusals import Refused
from messaging.turns import Answer, Done, Failing, Service, Undone, Waiting
from payment_service.payment import (
    ENDED,
    NOTHING,
    UNDONE,
    Move,
    Payment,
    ask,
    call_off,
    capture,
    reference_of,
    section,
    write_off,
)
from payment_service.store import PaymentBooks, open_books

CAPTURE = "CapturePayment"


def authorize_payment(command: Command, books: PaymentBooks, now: int) -> Answer:
    """AuthorizePayment: the customer's turn, or the token that the session brought along."""
    payment = books.payment(command.clerk) or _open(command, books, collects=False, now=now)
    return verdict(payment, command) or Waiting()


def void_payment(command: Command, books: PaymentBooks, now: int) -> Answer:
    """VoidPayment: what the service itself recorded goes back (U4); answered when the provider has confirmed it."""
    payment = books.payment(command.clerk)
    if payment is None:
        return Undone(NOTHING)
    return verdict(books.make(call_off(payment), now), command) or Waiting()


def capture_payment(command: Command, books: PaymentBooks, now: int) -> Answer:
    """CapturePayment, the pivot: a clear no refuses; no answer is asked again under the same key, without end (P1)."""
    payment = books.payment(command.clerk)
    if payment is None:
        return Refused("capture_refused", "nothing is authorised for this session")
    return verdict(books.make(capture(payment, command.step), now), command) or Waiting()


def collect_payment(command: Command, books: PaymentBooks, now: int) -> Answer:
    """CollectPayment: an invoice, after the pivot: nothing refuses any more, a declined card waits for another one."""
    payment = books.payment(command.clerk) or _open(command, books, collects=True, now=now)
    return verdict(payment, command) or Waiting()


def write_off_payment(command: Command, books: PaymentBooks, now: int) -> Answer:
    """WriteOffPayment: the invoice's time is over: captured meanwhile, or lost; a charge under way decides which."""
    payment = books.payment(command.clerk) or _opened(command, collects=True)
    return verdict(books.make(write_off(payment), now), command) or Waiting()


def verdict(payment: Payment, command: Command) -> Answer | None:
    """What the payment's state answers to a command; None while the customer or the provider has to act."""
    if command.direction == "undo":
        return _undo_verdict(payment)
    if command.name == CAPTURE:
        return _capture_verdict(payment)
    if payment.status == "declined":
        return Refused("card_declined", payment.declined or "the card was declined")
    if payment.status in ("authorized", "capture_refused", "captured", "lost"):
        return Done(section(payment))
    if payment.status in ENDED:
        return Refused("session_ended", "this payment was called off")
    return None


def _undo_verdict(payment: Payment) -> Answer | None:
    if payment.status == "return_refused":
        why = f"the provider refused to give the money back: {payment.declined or 'no reason given'}"
        return Failing(Refused("provider_refused", why))
    return Undone(section(payment)) if payment.status in ENDED else None


def _capture_verdict(payment: Payment) -> Answer | None:
    if payment.status == "capturing":
        return None
    if payment.status == "captured":
        return Done(section(payment))
    reason = payment.declined if payment.status == "capture_refused" else None
    return Refused("capture_refused", reason or f"the payment is {payment.status}")


def _open(command: Command, books: PaymentBooks, *, collects: bool, now: int) -> Payment:
    payment = _opened(command, collects=collects)
    token = _brought_token(part(command.document, "clerk"))
    if token is None:
        return books.make(Move(payment), now)
    return books.make(ask(payment, "charge" if collects else "authorize", token), now)


def _opened(command: Command, *, collects: bool) -> Payment:
    clerk = part(command.document, "clerk")
    return Payment(
        session=command.clerk,
        step=command.step,
        reference=reference_of(command.clerk),
        status="waiting",
        amount=_order_total(command),
        currency=_text(clerk, "currency"),
        secret_sha256=_text(clerk, "secret_sha256"),
        deadline=command.deadline,
        collects=collects,
        brought=_brought_token(clerk) is not None,
    )


def _order_total(command: Command) -> int:
    total = part(command.document, "order").get("total")
    if type(total) is not int or total < 0:
        raise ValueError("document.order.total is no amount in minor units")
    return total


def _text(clerk: Mapping[str, Any], name: str) -> str:
    value = clerk.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"document.clerk.{name} is no text")
    return value


def _brought_token(clerk: Mapping[str, Any]) -> str | None:
    brought = clerk.get("brought")
    means = brought.get("payment") if isinstance(brought, dict) else None
    if means is None:
        return None
    token = means.get("token") if isinstance(means, dict) else None
    if not isinstance(token, str) or not 0 < len(token) <= 255:
        raise ValueError("document.clerk.brought.payment.token is no token: allowed are 1 to 255 characters")
    return token


def _locks(command: Command) -> Iterable[str]:
    return ()


def payment(note: Callable[[Sequence[str]], None]) -> Service[PaymentBooks]:
    """The service: who knows its commands finds each rule here. `note`: see PaymentBooks."""
    return Service(
        name="payment",
        rules={
            ("AuthorizePayment", 1): authorize_payment,
            ("VoidPayment", 1): void_payment,
            (CAPTURE, 1): capture_payment,
            ("CollectPayment", 1): collect_payment,
            ("WriteOffPayment", 1): write_off_payment,
        },
        open_books=partial(open_books, note=note),
        locks=_locks,
        blank=NOTHING,
    )


def is_undone(payment: Payment) -> bool:
    """Was it called off, and has everything gone back?"""
    return payment.undo_asked and payment.status in UNDONE

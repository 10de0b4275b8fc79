"""Payment's commands: one handler each, and the definition of the service.

A handler changes the payment, if there is something to change, and returns what the payment's state then answers
(`result_for`). The provider gateway does the same when the provider has answered. So a command gets the same answer
whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from domain.document import order_total
from domain.messages import Command
from domain.refusals import Refused
from messaging.turns import Done, Failing, HandlerResult, ServiceDefinition, Undone, Waiting
from payment_service.clerk_document import brought_token, payment_of
from payment_service.payment import (
    ENDED,
    NOTHING,
    UNDONE,
    Payment,
    Transition,
    ask,
    call_off,
    capture,
    no_card,
    section,
    write_off,
)
from payment_service.store import PaymentUnitOfWork, open_unit_of_work

CAPTURE = "CapturePayment"


def authorize_payment(command: Command, uow: PaymentUnitOfWork, now: int) -> HandlerResult:
    """AuthorizePayment: the customer's turn, or the token that the session brought along."""
    if _nothing_to_pay(command, uow):
        return Done(NOTHING)
    payment = uow.payment(command.clerk) or _open(command, uow, collects=False, now=now)
    return result_for(payment, command) or Waiting()


def void_payment(command: Command, uow: PaymentUnitOfWork, now: int) -> HandlerResult:
    """VoidPayment: what the service itself has recorded goes back (U4); done when the provider has confirmed it."""
    payment = uow.payment(command.clerk)
    if payment is None:
        return Undone(NOTHING)
    return result_for(uow.apply(call_off(payment), now), command) or Waiting()


def capture_payment(command: Command, uow: PaymentUnitOfWork, now: int) -> HandlerResult:
    """CapturePayment, the pivot: a clear no refuses; no answer is asked again under the same key, without end (P1)."""
    if _nothing_to_pay(command, uow):
        return Done(NOTHING)
    payment = uow.payment(command.clerk)
    if payment is None:
        return Refused("capture_refused", "nothing is authorised for this session")
    return result_for(uow.apply(capture(payment, command.step), now), command) or Waiting()


def collect_payment(command: Command, uow: PaymentUnitOfWork, now: int) -> HandlerResult:
    """CollectPayment: an invoice, after the pivot: nothing refuses any more, a declined card waits for another one."""
    if _nothing_to_pay(command, uow):
        return Done(NOTHING)
    payment = uow.payment(command.clerk) or _open(command, uow, collects=True, now=now)
    return result_for(payment, command) or Waiting()


def write_off_payment(command: Command, uow: PaymentUnitOfWork, now: int) -> HandlerResult:
    """WriteOffPayment: the invoice's time is over: captured meanwhile, or lost; a charge under way decides which."""
    if _nothing_to_pay(command, uow):
        return Done(NOTHING)
    payment = uow.payment(command.clerk) or payment_of(command, collects=True)
    return result_for(uow.apply(write_off(payment), now), command) or Waiting()


def result_for(payment: Payment, command: Command) -> HandlerResult | None:
    """What the payment's state answers to a command; None while the customer or the provider has to act."""
    if command.direction == "undo":
        return _undo_result(payment)
    if command.name == CAPTURE:
        return _capture_result(payment)
    if payment.status == "declined":
        return no_card(payment)
    if payment.status in ("authorized", "capture_refused", "captured", "lost"):
        return Done(section(payment))
    if payment.status in ENDED:
        return Refused("session_ended", "this payment was called off: open a new session")
    return None


def _undo_result(payment: Payment) -> HandlerResult | None:
    if payment.status == "return_refused":
        why = f"the provider refused to give the money back: {payment.declined or 'no reason given'}"
        return Failing(Refused("provider_refused", why))
    return Undone(section(payment)) if payment.status in ENDED else None


def _capture_result(payment: Payment) -> HandlerResult | None:
    if payment.status == "capturing":
        return None
    if payment.status == "captured":
        return Done(section(payment))
    if payment.status == "capture_refused" and payment.declined:
        return Refused("capture_refused", payment.declined)
    return Refused("capture_refused", "the money could not be taken", internal=f"the payment is {payment.status}")


def _nothing_to_pay(command: Command, uow: PaymentUnitOfWork) -> bool:
    """An order of nothing asks nobody for money, and has no payment (docs/decisions/080)."""
    return order_total(command.document) == 0 and uow.payment(command.clerk) is None


def _open(command: Command, uow: PaymentUnitOfWork, *, collects: bool, now: int) -> Payment:
    payment = payment_of(command, collects=collects)
    token = brought_token(command.document)
    if token is None:
        return uow.apply(Transition(payment), now)
    return uow.apply(ask(payment, "charge" if collects else "authorize", token), now)


def payment(on_new_calls: Callable[[Sequence[str]], None]) -> ServiceDefinition[PaymentUnitOfWork]:
    """The service. Sessions share nothing in here. `on_new_calls`: see PaymentUnitOfWork."""
    return ServiceDefinition(
        name="payment",
        handlers={
            ("AuthorizePayment", 1): authorize_payment,
            ("VoidPayment", 1): void_payment,
            (CAPTURE, 1): capture_payment,
            ("CollectPayment", 1): collect_payment,
            ("WriteOffPayment", 1): write_off_payment,
        },
        open_unit_of_work=partial(open_unit_of_work, on_new_calls=on_new_calls),
        blank=NOTHING,
    )


def is_undone(payment: Payment) -> bool:
    """Was it called off, and has everything gone back?"""
    return payment.undo_asked and payment.status in UNDONE

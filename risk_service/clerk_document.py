"""What risk reads of a Clerk document: whose credit in which currency, and how the order was paid. Pure."""

from __future__ import annotations

from domain.document import part
from domain.messages import Command
from risk_service.credit import Lesson, guest_account


def account_of(command: Command) -> str:
    """Whose credit a session uses: the named customer's, or for a guest an account of the session's own."""
    customer = part(command.document, "customer").get("id")
    return customer if isinstance(customer, str) and customer else guest_account(command.clerk)


def currency_of(command: Command) -> str | None:
    """In which currency the session's order is; None when the document does not say."""
    currency = part(command.document, "clerk").get("currency")
    return currency if isinstance(currency, str) and currency else None


def lesson_of(command: Command) -> Lesson:
    """How the order was paid: `lost` is an invoice that nobody paid, `late` one that was paid after its time."""
    payment = part(command.document, "payment")
    if payment.get("status") == "lost":
        return "lost"
    return "late" if payment.get("late") else "paid"

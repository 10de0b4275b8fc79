"""What payment reads of a Clerk document: the amount, whose session it is, and a token that was brought along. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.document import Document, order_total, part
from domain.messages import Command
from payment_service.payment import Payment, reference_of


def payment_of(command: Command, *, collects: bool) -> Payment:
    """The payment that the command asks for, not begun yet; `collects` makes it an invoice.

    ValueError names the field of the document that is missing or wrong.
    """
    clerk = part(command.document, "clerk")
    return Payment(
        session=command.clerk,
        step=command.step,
        reference=reference_of(command.clerk),
        status="waiting",
        amount=order_total(command.document),
        currency=_text(clerk, "currency"),
        secret_sha256=_text(clerk, "secret_sha256"),
        deadline=command.deadline,
        collects=collects,
        brought=brought_token(command.document) is not None,
    )


def brought_token(document: Document) -> str | None:
    """The token that the session brought along; None when the customer pays later. ValueError when it is no token."""
    brought = part(document, "clerk").get("brought")
    means = brought.get("payment") if isinstance(brought, dict) else None
    if means is None:
        return None
    token = means.get("token") if isinstance(means, dict) else None
    if not isinstance(token, str) or not 0 < len(token) <= 255:
        raise ValueError("document.clerk.brought.payment.token is no token: allowed are 1 to 255 characters")
    return token


def _text(clerk: Mapping[str, Any], name: str) -> str:
    value = clerk.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"document.clerk.{name} is no text")
    return value

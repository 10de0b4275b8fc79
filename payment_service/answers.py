"""The models of payment's answers, and what its routes say in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from http_api.answers import Amount, Answer, Currency, Moment, SessionId, shown_as
from http_api.documented import SESSION_ETAG, documented
from http_api.principals import Shown

ShownStatus = Literal[
    "waiting", "authorizing", "authorized", "captured", "voiding", "voided", "refunding", "refunded",
    "return_refused", "closed", "declined", "lost",
]  # fmt: skip


class Card(Answer):
    """The card, as far as anybody may know it."""

    brand: Annotated[str | None, Field(examples=["visa"])]
    last4: Annotated[str | None, Field(examples=["4242"])]


class Payment(Answer):
    """What a session has to pay, and how far that is."""

    model_config = shown_as(
        {
            "session": "clk_0193k2v8p4q7",
            "amount": 2590,
            "currency": "EUR",
            "status": "authorized",
            "card": {"brand": "visa", "last4": "4242"},
            "expires_at": None,
            "declined": None,
        }
    )

    session: SessionId
    amount: Amount
    currency: Currency
    status: Annotated[
        ShownStatus,
        Field(description="`waiting` for the customer; `declined`: no other card is taken; `lost`: never paid"),
    ]
    card: Card | None
    expires_at: Annotated[Moment | None, Field(description="until when it can be paid")]
    declined: Annotated[str | None, Field(description="why the last card was declined, until the next try")]


class EventReceived(Answer):
    """The provider's event is kept; the same one again changes nothing."""

    model_config = shown_as({"id": "evt_1", "received": True})

    id: str
    received: Literal[True]


_SHOWN_BY: Sequence[Shown] = ("customer", "server")

_OF_PAYMENT = ("not_found", "order_not_placed", "not_ready_yet", "session_ended", "not_allowed_now")

READ_PAYMENT = documented(
    Payment, says="The payment.", headers=[SESSION_ETAG], problems=_OF_PAYMENT, shown_by=_SHOWN_BY
)
PAY = documented(
    Payment,
    202,
    says="It is authorized, or the provider is still being asked.",
    headers=[SESSION_ETAG],
    problems=[*_OF_PAYMENT, "card_declined", "payment_in_flight", "too_many_cards", "too_many_declined"],
    shown_by=_SHOWN_BY,
)
TAKE_PROVIDER_EVENT = documented(EventReceived, says="It was taken in.", problems=["unauthorized"])

"""Why a whole order may fail: the closed list of `failure.code`, for docs/errors.md and OpenAPI. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class FailureCode:
    """Why a whole order failed, as `failure.code` of a session. `said_by`: which service; `tell`: to the customer."""

    said_by: str
    means: str
    tell: str


FAILURES: Mapping[str, FailureCode] = {
    "article_unknown": FailureCode(
        "shop", "An article that was brought along is not sold here, or no longer.", "Choose another article."
    ),
    "order_empty": FailureCode("shop", "The session brought an empty order along.", "Order something."),
    "quantity_out_of_range": FailureCode(
        "shop", "More was brought along than can be ordered: 999 of one article, 100 articles.", "Order less."
    ),
    "price_changed": FailureCode(
        "shop", "The order comes to another total than was expected.", "Look at the new total, and order again."
    ),
    "credit_exceeded": FailureCode(
        "risk",
        "The order is above what this customer, or a guest, may order at once in its currency.",
        "Order less, or ask the shop.",
    ),
    "card_declined": FailureCode("payment", "The card that was brought along was declined.", "Use another card."),
    "too_many_cards": FailureCode(
        "payment", "The customer has tried 20 cards, and all were declined.", "Open a new session, with another card."
    ),
    "capture_refused": FailureCode(
        "payment", "The provider did not hand over what was authorised.", "Nothing was charged: use another card."
    ),
    "out_of_stock": FailureCode(
        "fulfillment", "There is not enough of the articles that `detail` names.", "Order less of them, or others."
    ),
    "session_ended": FailureCode(
        "payment", "The payment was called off before the step was asked.", "Open a new session."
    ),
    "called_off": FailureCode("every service", "The step was called off before it was asked.", "Open a new session."),
    "session_expired": FailureCode(
        "ShopManager", "The session's time was over before the order was complete.", "Open a new session."
    ),
    "step_expired": FailureCode(
        "ShopManager",
        "A step's time was over: the customer has not paid, or a service has not answered.",
        "Open a new session.",
    ),
    "settled_by_hand": FailureCode(
        "ShopManager", "An operator has settled a step that could not be done.", "Ask the shop."
    ),
    "refused": FailureCode("ShopManager", "A service refused, and gave no reason.", "Ask the shop."),
    "refused_by_fault": FailureCode(
        "a fault", "A fault that was put in force refuses; only with `clerk up --faults`.", "Nobody is told."
    ),
}
"""The closed list. Beside `code` and `detail` a failure says in `money` what becomes of the customer's money."""
PAYMENT_ERRORS = ("card_declined", "too_many_cards")
"""Why the last card was no good, as `last_payment_error.code`."""
_LATER = "A later version may have further codes: take one that you do not know for a failure like any other."
FailureCodeShown = Annotated[
    str, Field(description=_LATER, examples=["card_declined"], json_schema_extra={"enum": [*FAILURES]})
]
PaymentErrorCodeShown = Annotated[
    str, Field(description=_LATER, examples=["card_declined"], json_schema_extra={"enum": [*PAYMENT_ERRORS]})
]


def failures_section() -> list[str]:
    """The section about why orders fail. Its name is no code."""
    return [
        "## Why an order failed",
        "",
        "An order that fails after its session was opened is no HTTP error: the session says so in `failure`,",
        "`{code, step, detail, money}`. `code` is one of these; `detail` may be shown to the customer as it is.",
        "A later version may have further codes: take one that you do not know for a failure like any other.",
        "Limits and what is in stock are never in it: operators see them in the order's timeline, the shop's",
        "backend in `failure.internal` of `GET /shop/session/{id}/clerk`.",
        "",
        "| `failure.code` | said by | means | tell the customer |",
        "|---|---|---|---|",
        *(f"| `{name}` | {why.said_by} | {why.means} | {why.tell} |" for name, why in FAILURES.items()),
    ]

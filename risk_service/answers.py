"""The models of risk's answers, and what its routes say in the OpenAPI document (http_api/documented.py)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from http_api.answers import Answer, Currency, SessionId, shown_as
from http_api.documented import ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, documented


class Reservation(Answer):
    """What one running session holds of the limit."""

    session: SessionId
    amount: Annotated[int, Field(description="minor units")]
    currency: Currency


class CreditAccount(Answer):
    """What a customer may owe in one currency. Amounts in minor units."""

    currency: Currency
    limit: int
    reserved: int
    outstanding: int
    available: int


class Credit(Answer):
    """What a customer may owe; the figures at the top are those of `currency`. Amounts in minor units."""

    model_config = shown_as(
        {
            "id": "ada",
            "currency": "EUR",
            "limit": 100000,
            "reserved": 2590,
            "outstanding": 0,
            "available": 97410,
            "score": 500,
            "reservations": [{"session": "clk_0193k2v8p4q7", "amount": 2590, "currency": "EUR"}],
            "accounts": [{"currency": "EUR", "limit": 100000, "reserved": 2590, "outstanding": 0, "available": 97410}],
        }
    )

    id: Annotated[str, Field(description="of the customer")]
    currency: Currency
    limit: int
    reserved: Annotated[int, Field(description="held by running sessions")]
    outstanding: Annotated[int, Field(description="owed for orders that are done")]
    available: int
    score: int
    reservations: list[Reservation]
    accounts: list[CreditAccount]


READ_CREDIT = documented(
    Credit, says="The customer's credit.", empty=NOT_MODIFIED, headers=[ETAG], takes=[IF_NONE_MATCH]
)
SET_CREDIT_LIMIT = documented(
    Credit,
    says="The credit as it is now.",
    headers=[ETAG],
    takes=[IF_MATCH],
    problems=["version_conflict"],
    current=Credit,
)

"""Payment's HTTP routes: the customer's payment, and the provider's signed events (docs/design/api.md)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import Field, SecretStr, StringConstraints

from domain.refusals import Refused
from http_api.card_numbers import find_card_number
from http_api.card_whereabouts import Place
from http_api.card_whereabouts import refused as card_refused
from http_api.conventions import Body, Id, example
from http_api.principals import AnyPrincipal, NetworkOf, Principal, is_server_or_owner, require_kind
from http_api.problems import Problem
from http_api.request import origin
from http_api.routes import Routes
from http_api.text_patterns import PROVIDER_TEXT
from messaging.database import Database
from payment_service import answers
from payment_service.payment import Payment
from payment_service.provider import Card
from payment_service.provider_gateway import ProviderGateway
from payment_service.provider_webhooks import (
    EventType,
    answer_of,
    fits,
    is_genuine,
)
from payment_service.use_cases import PaymentAnswer, PaymentUseCases, TooManyDeclined

NO_PAYMENT = (
    "There is no such payment, or it is not yours, or nothing is to be paid yet: place the order first "
    "(`POST /shop/carts/{session}/order`) and use the session's own client secret."
)
Token = Annotated[str, StringConstraints(pattern=PROVIDER_TEXT)]


class Means(Body):
    model_config = example({"token": "tok_ok"})

    token: Annotated[Token, Field(description="the provider's token of the payment means, never a card number")]


class NoticeCard(Body):
    brand: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class Notice(Body):
    model_config = example({"id": "evt_1", "type": "payment.voided", "key": "clk_0193k2v8p4q7/payment/1/do"})

    id: Id
    type: EventType
    key: Annotated[str, StringConstraints(pattern=PROVIDER_TEXT)]
    card: NoticeCard | None = None
    reason: Annotated[str, StringConstraints(max_length=500)] = ""
    amount: Annotated[int | None, Field(ge=0, le=10**15, description="minor units; null: all that was asked")] = None


def payment_router(payments: PaymentUseCases) -> APIRouter:
    """A session's payment, for its own customer (`cs_…`) or the server key; for everybody else there is none (404)."""
    router = Routes(tags=["payment"])

    def find(session: str, principal: Principal, network: str) -> Payment:
        """The session's payment; Problem 404 when there is none or the principal may not use it.

        Which of these it is, payment does not know: ShopManager says it where it passes the answer on (decision 078).
        """
        require_kind(principal, "customer", "server")
        possible = session.startswith("clk_")
        found = payments.find(session, partial(is_server_or_owner, principal), network) if possible else None
        if found is None:
            raise Problem("not_found", NO_PAYMENT)
        return found

    @router.get("/payment/{session}", **answers.READ_PAYMENT)
    def read_payment(session: Id, principal: AnyPrincipal, network: NetworkOf) -> PaymentAnswer:
        """The amount, and how far the payment is."""
        return payments.show(find(session, principal, network))

    @router.post("/payment/{session}", status_code=202, **answers.PAY)
    def pay(session: Id, body: Means, request: Request, principal: AnyPrincipal, network: NetworkOf) -> PaymentAnswer:
        """Pay with this token; while or after a payment succeeds, again is the same."""
        if find_card_number(body.token):
            raise card_refused(Place("$.token"))
        find(session, principal, network)
        outcome = payments.pay(session, body.token, origin(request.scope) if principal.is_unproven else None)
        if isinstance(outcome, TooManyDeclined):
            raise Problem("too_many_declined", session_id=session, retry_after=outcome.seconds)
        if isinstance(outcome, Refused):
            raise refused(outcome, session)
        return outcome

    return router


def refused(outcome: Refused, session: str) -> Problem:
    """The business says no."""
    param = "$.token" if outcome.code == "card_declined" else None
    return Problem(outcome.code, outcome.detail, param=param, session_id=session)


def webhooks_router(database: Database, gateway: ProviderGateway, secret: SecretStr) -> APIRouter:
    """`POST /payment/provider-events`: nobody but the provider can sign."""
    router = Routes(tags=["payment"])

    def require_genuine(
        raw: Annotated[bytes, Depends(raw_body)],
        signature: Annotated[str, Header(alias="Provider-Signature", description="t=<unix seconds>,v1=<hex>")] = "",
    ) -> None:
        with database.read() as tx:
            now = tx.now()
        if not is_genuine(secret.get_secret_value(), signature, raw, now):
            raise Problem(
                "unauthorized",
                "The signature is missing, not the provider's, or older than five minutes: "
                "send `Provider-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 over `SECONDS.BODY` with the shared secret.",
                param="Provider-Signature",
            )

    @router.post("/payment/provider-events", **answers.TAKE_PROVIDER_EVENT, dependencies=[Depends(require_genuine)])
    def take_provider_event(notice: Notice) -> dict[str, Any]:
        """An answer that comes by itself; the same notice again, or one about nothing of ours, changes nothing."""
        if fits(notice.type, notice.key):
            card = Card(notice.card.brand, notice.card.last4) if notice.card else None
            answer = answer_of(notice.type, notice.key, card, notice.reason, notice.amount)
            gateway.take_in([answer], event=notice.id)
        return {"id": notice.id, "received": True}

    return router


async def raw_body(request: Request) -> bytes:
    """The bytes that were signed; async, because the framework can read a body only so."""
    return await request.body()

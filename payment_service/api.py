"""Payment's doors: the customer's payment, and the provider's signed notices (api.md, Payment service)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import Field, SecretStr, StringConstraints

from domain.refusals import Refused
from doors.answers import Body, Id
from doors.callers import Caller, caller, may_act_on
from doors.cards import find_card_number
from doors.problems import Problem
from messaging.database import Database
from payment_service.calls import Calls
from payment_service.notices import NoticeType, answer_of, fits, is_genuine
from payment_service.provider import Card
from payment_service.till import PaymentAnswer, Till, shown

Token = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
Whoever = Annotated[Caller, Depends(caller)]


class Means(Body):
    token: Annotated[Token, Field(description="the provider's token of the payment means, never a card number")]


class NoticeCard(Body):
    brand: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class Notice(Body):
    id: Id
    type: NoticeType
    key: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
    card: NoticeCard | None = None
    reason: Annotated[str, StringConstraints(max_length=500)] = ""
    amount: Annotated[int | None, Field(ge=0, le=10**15, description="minor units; null: all that was asked")] = None


def payment_router(till: Till) -> APIRouter:
    """A session's payment, for its own customer (`cs_…`) or the server key; for everybody else there is none (404)."""
    router = APIRouter(tags=["payment"])

    @router.get("/payment/{session}")
    def read_payment(session: Id, who: Whoever) -> PaymentAnswer:
        """The amount, and how far the payment is."""
        found = till.find(session, lambda secret: may_use(who, secret)) if _may_come(session, who) else None
        if found is None:
            raise _nothing_here(session, who)
        return shown(found)

    @router.post("/payment/{session}", status_code=202)
    def pay(session: Id, body: Means, who: Whoever) -> PaymentAnswer:
        """Pay with this token; while or after a payment succeeds, again is the same."""
        if find_card_number(body.token):
            raise Problem("card_number_refused", param="$.token")
        if not _may_come(session, who) or till.find(session, lambda secret: may_use(who, secret)) is None:
            raise _nothing_here(session, who)
        outcome = till.pay(session, body.token)
        if isinstance(outcome, Refused):
            raise Problem(outcome.code, outcome.detail, session_id=session)
        return outcome

    return router


def notices_router(database: Database, calls: Calls, secret: SecretStr) -> APIRouter:
    """`POST /payment/provider-events`: no caller but the provider can sign."""
    router = APIRouter(tags=["payment"])

    def require_genuine(
        raw: Annotated[bytes, Depends(raw_body)],
        signature: Annotated[str, Header(alias="Provider-Signature", description="t=<unix seconds>,v1=<hex>")] = "",
    ) -> None:
        with database.read() as tx:
            now = tx.now()
        if not is_genuine(secret.get_secret_value(), signature, raw, now):
            raise Problem("unauthorized", "the signature is not the provider's, or older than five minutes")

    @router.post("/payment/provider-events", dependencies=[Depends(require_genuine)])
    def take_notice(notice: Notice) -> dict[str, Any]:
        """An answer that comes by itself; the same notice again, or one about nothing of ours, changes nothing."""
        if fits(notice.type, notice.key):
            card = Card(notice.card.brand, notice.card.last4) if notice.card else None
            answer = answer_of(notice.type, notice.key, card, notice.reason, notice.amount)
            calls.take_in([answer], event=notice.id)
        return {"id": notice.id, "received": True}

    return router


async def raw_body(request: Request) -> bytes:
    """The bytes that were signed; async because the framework reads bodies only so."""
    return await request.body()


def may_use(who: Caller, secret_sha256: str) -> bool:
    """The server key may use every payment, a customer the own one; operators and the warehouse none."""
    return who.kind == "server" or (who.kind == "customer" and may_act_on(who, secret_sha256))


def _may_come(session: str, who: Caller) -> bool:
    return who.kind in ("customer", "server") and session.startswith("clk_")


def _nothing_here(session: str, who: Caller) -> Problem:
    again = 1 if _may_come(session, who) else None
    return Problem("not_found", "there is no such payment, or not yet", retry_after=again)

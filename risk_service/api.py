"""Risk's door: what the shop's backend may read and set (api.md, Risk service)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from doors.answers import Body, Id
from doors.callers import require_server
from messaging.database import Database
from risk_service.credit import Account, available
from risk_service.settings import RiskSettings
from risk_service.store import accounts, read_accounts, read_reserved, reservations_of

MOST = 10**12


class Limit(Body):
    limit: Annotated[int, Field(ge=0, le=MOST, description="minor units")]


def risk_router(database: Database, settings: RiskSettings) -> APIRouter:
    """`GET` and `PUT /risk/customers/{id}`; both need the server key."""
    router = APIRouter(tags=["risk"], dependencies=[Depends(require_server)])

    @router.get("/risk/customers/{customer}")
    def read_customer(customer: Id) -> dict[str, Any]:
        """A customer's standing; one that risk has never heard of has the default limit."""
        return standing(database, settings, customer)

    @router.put("/risk/customers/{customer}")
    def set_limit(customer: Id, body: Limit) -> dict[str, Any]:
        """Set the credit limit; running reservations stay, even above it."""
        with database.begin() as tx:
            tx.lock([f"customer:{customer}"])
            known = read_accounts(tx, [customer]).get(customer) or Account(customer, body.limit)
            row = {
                "customer": customer,
                "credit_limit": body.limit,
                "outstanding": known.outstanding,
                "score": known.score,
            }
            tx.upsert(accounts, [row], ["customer"])
        return standing(database, settings, customer)

    return router


def standing(database: Database, settings: RiskSettings, customer: str) -> dict[str, Any]:
    with database.read() as tx:
        account = read_accounts(tx, [customer]).get(customer) or Account(customer, settings.default_limit)
        reserved = read_reserved(tx, [customer]).get(customer, 0)
        held = reservations_of(tx, customer)
    return {
        "id": customer,
        "limit": account.limit,
        "reserved": reserved,
        "outstanding": account.outstanding,
        "available": available(account, reserved),
        "score": account.score,
        "reservations": [{"session": each.session, "amount": each.amount} for each in held],
    }

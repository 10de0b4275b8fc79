"""The HTTP routes of operators' acts, on a Clerk or a parked message, with a reason and the version seen (O1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from http_api.conventions import Id, etag, version_seen
from http_api.principals import Principal, require_operator
from http_api.routes import Routes
from shop_manager.operations.answers import ACT_ON_CLERK, CLAIM_CLERK
from shop_manager.operations.answers_records import ACT_ON_PARKED
from shop_manager.operations.claims import ClaimAsk
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import ClerkAct, ParkedAct
from shop_manager.sessions.api import as_json

Who = Annotated[Principal, Depends(require_operator("viewer"))]
"""Any operator: the role is checked in the use case, which writes a refused attempt into the audit."""


def ops_acts_router(operations: Operations) -> APIRouter:
    router = Routes(prefix="/ops", tags=["operators"])

    def may_act(clerk: Id, who: Who) -> None:
        operations.acts.require(who, "act", clerk)

    @router.post("/clerks/{clerk}/actions", **ACT_ON_CLERK, dependencies=[Depends(may_act)])
    def act_on_clerk(clerk: Id, who: Who, body: ClerkAct, request: Request) -> Response:
        """Retry, undo, extend, settle or note, with `If-Match`: the version that the operator has seen.

        Answers with the Clerk as it is then. A version that is not the present one: 412, and nothing has changed.
        """
        operations.acts.require(who, body.action, clerk)
        found = operations.acts.act(who, clerk, body.act(), body.reason, version_seen(request))
        return as_json(found, 200, {"ETag": etag(found["version"])})

    def may_claim(clerk: Id, who: Who) -> None:
        operations.claims.require(who, clerk)

    @router.post("/clerks/{clerk}/claim", **CLAIM_CLERK, dependencies=[Depends(may_claim)])
    def claim_clerk(clerk: Id, who: Who, body: ClaimAsk) -> Response:
        """Claim a stuck Clerk, take it over, release it, or put it off (`snooze`); all others see who has it.

        It changes nothing of the Clerk, and needs no `If-Match`. What is claimed already by the same operator stays so.
        """
        found = operations.claims.act(who, clerk, body)
        return as_json(found, 200, {"ETag": etag(found["version"])})

    def may_decide(parked: Id, who: Who) -> None:
        operations.parked_acts.require(who, "act", parked)

    @router.post("/parked/{parked}/actions", **ACT_ON_PARKED, dependencies=[Depends(may_decide)])
    def act_on_parked(parked: Id, who: Who, body: ParkedAct, request: Request) -> Response:
        """Replay, through the same rules as any message, or discard: it stays listed. With `If-Match` if wished."""
        seen = version_seen(request) if "if-match" in request.headers else None
        found = operations.parked_acts.act(who, parked, body.action, body.reason, seen)
        return as_json(found, 200, {"ETag": etag(found["version"])})

    return router

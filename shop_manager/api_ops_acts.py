"""The doors of operators, acting (dashboard.md, Acts): on a Clerk, with a reason and the version seen (O1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from doors.answers import Id, etag, version_seen
from doors.callers import Caller, require_operator
from shop_manager.api_sessions import as_json
from shop_manager.operations import Operations
from shop_manager.operations.requests import ClerkAct, ParkedAct

Who = Annotated[Caller, Depends(require_operator("viewer"))]
"""Any operator: what the role may do is asked behind the door, where a refused attempt is written down."""


def ops_acts_router(operations: Operations) -> APIRouter:
    router = APIRouter(prefix="/ops", tags=["operators"])

    def may_act(clerk: Id, who: Who) -> None:
        operations.acts.require(who, "act", clerk)

    @router.post("/clerks/{clerk}/actions", dependencies=[Depends(may_act)])
    def act_on_clerk(clerk: Id, who: Who, body: ClerkAct, request: Request) -> Response:
        """Retry, undo, extend, settle or note, with `If-Match`: the version that the operator has seen.

        Answers with the Clerk as it is then. A version that is not the present one: 412, and nothing has changed.
        """
        found = operations.acts.act(who, clerk, body.act(), body.reason, version_seen(request))
        return as_json(found, 200, {"ETag": etag(found["version"])})

    def may_decide(parked: Id, who: Who) -> None:
        operations.parked_acts.require(who, "act", parked)

    @router.post("/parked/{parked}/actions", dependencies=[Depends(may_decide)])
    def act_on_parked(parked: Id, who: Who, body: ParkedAct, request: Request) -> Response:
        """Replay, through the same rules as any message, or discard: it stays listed. With `If-Match` if wished."""
        seen = version_seen(request) if "if-match" in request.headers else None
        found = operations.parked_acts.act(who, parked, body.action, body.reason, seen)
        return as_json(found, 200, {"ETag": etag(found["version"])})

    return router

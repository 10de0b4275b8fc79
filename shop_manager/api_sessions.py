"""The doors to sessions: open, read, wait, follow, cancel, expire and list them (api.md, ShopManager)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from domain.refusals import Refused
from domain.times import from_wire
from doors.answers import (
    Id,
    check_if_match,
    etag,
    idempotency_key,
    not_modified,
    page,
    preferred_wait,
)
from doors.callers import Caller, caller, require_server, require_server_or_operator
from doors.problems import Problem, invalid
from doors.request import traceparent
from messaging.worker import LostRace
from shop_manager.deciding.asking import outgoing_document
from shop_manager.events import follow, last_event_id
from shop_manager.happenings import Cancelled, Expired
from shop_manager.listing import NEWEST, Filter, page_of
from shop_manager.opening import Opening
from shop_manager.opening_request import OpenSession
from shop_manager.public import PublicStatus
from shop_manager.saga import Saga
from shop_manager.sessions import Sessions
from shop_manager.waiting import Waiter

Whoever = Annotated[Caller, Depends(caller)]
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "the session, again after each change"}
}


def opening_router(opening: Opening) -> APIRouter:
    """`POST /shop/session`, for anybody."""
    router = APIRouter(tags=["sessions"])

    @router.post("/shop/session", status_code=201)
    def open_session(request: Request, who: Whoever, body: OpenSession | None = None) -> Response:
        """Open a session. It may already be further than `open` when it brings its order along."""
        opened = opening.open(body or OpenSession(), who, idempotency_key(request), traceparent(request))
        headers = {"Location": opened.session["links"]["self"], "ETag": etag(opened.session["version"])}
        if opened.replayed:
            headers["Idempotent-Replayed"] = "true"
        return as_json(opened.session, 201, headers)

    return router


def sessions_router(sessions: Sessions) -> APIRouter:
    """One session: for its own customer, the shop's backend and operators; for everybody else there is none (404)."""
    router = APIRouter(tags=["sessions"])

    @router.get("/shop/session/{session}")
    async def read_session(session: Id, who: Whoever, request: Request) -> Response:
        """The session. With `If-None-Match` 304 when it is known; with `Prefer: wait=20` only once it has changed."""
        limit = preferred_wait(request)
        if not limit:
            return _answer(sessions, request, await run_in_threadpool(sessions.read, session, who))
        with sessions.watch.watching(session) as waiter:
            saga = await run_in_threadpool(sessions.read, session, who)
            if not _is_news(request, saga):
                saga = await _changed(sessions, waiter, saga, limit)
        return _answer(sessions, request, saga, {"Preference-Applied": f"wait={limit}"})

    @router.get("/shop/session/{session}/events", response_class=StreamingResponse, responses=EVENT_STREAM)
    async def read_events(session: Id, who: Whoever, request: Request) -> Response:
        """The session as it is, and again after each change, until it has ended; a server-sent event each."""
        saga = await run_in_threadpool(sessions.read, session, who)
        seen = last_event_id(request)
        if saga.ended and seen is not None and seen >= saga.version:
            return Response(status_code=204)  # this tells an EventSource not to come back
        if sessions.watch.full:
            raise Problem("overloaded", "Too many callers wait for changes.")
        events = follow(sessions, saga.id, seen)
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @router.get("/shop/session/{session}/clerk", dependencies=[Depends(require_server_or_operator)])
    def read_clerk(session: Id, who: Whoever, request: Request) -> Response:
        """The whole Clerk document."""
        saga = sessions.read(session, who)
        if not_modified(request, saga.version):
            return Response(status_code=304, headers={"ETag": etag(saga.version)})
        return as_json(outgoing_document(saga), 200, {"ETag": etag(saga.version)})

    @router.post("/shop/session/{session}/cancel", status_code=202)
    def cancel_session(session: Id, who: Whoever, request: Request) -> Response:
        """Call the order off: 202 while it is being undone, 200 when it is canceled."""
        saga = sessions.read(session, who)
        if who.kind == "operator":
            raise Problem("forbidden", "Operators act under /ops/clerks, with a reason.")
        by = "customer" if who.kind == "customer" else "shop"
        return _wish(sessions, request, saga, Cancelled(by=by), "canceled")

    @router.post("/shop/session/{session}/expire", status_code=202, dependencies=[Depends(require_server)])
    def expire_session(session: Id, who: Whoever, request: Request) -> Response:
        """End the session as if its deadline had come: 202 while it is being undone, 200 when it has expired."""
        return _wish(sessions, request, sessions.read(session, who), Expired(), "expired")

    return router


def session_list_router(sessions: Sessions) -> APIRouter:
    """`GET /shop/session`, for the shop's backend."""
    router = APIRouter(tags=["sessions"], dependencies=[Depends(require_server)])

    @router.get("/shop/session")
    def list_sessions(
        *,
        status: PublicStatus | None = None,
        customer: Id | None = None,
        client_reference: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        created_after: Annotated[str | None, Query(description="RFC 3339, exclusive")] = None,
        cursor: Annotated[str | None, Query(max_length=1000)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> Response:
        """Sessions, newest first."""
        wanted = Filter(
            status=status,
            customer=customer,
            client_reference=client_reference,
            created_after=moment("created_after", created_after),
        )
        with sessions.manager.database.read() as tx:
            ids, following = page_of(tx, wanted, NEWEST, limit=limit, cursor=cursor, first_steps=sessions.first_steps)
            found = sessions.read_many(tx, ids)
        return as_json(page([sessions.shown(saga) for saga in found], limit, following))

    return router


def as_json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


def moment(name: str, text: str | None) -> int | None:
    """An RFC 3339 time from a query, in ms; Problem 422 names the parameter."""
    if text is None:
        return None
    try:
        return from_wire(text)
    except (ValueError, OverflowError):
        raise invalid(name, "an RFC 3339 time is needed, such as 2026-11-23T14:20:53Z") from None


def _answer(sessions: Sessions, request: Request, saga: Saga, headers: dict[str, str] | None = None) -> Response:
    headers = {**(headers or {}), "ETag": etag(saga.version)}
    if not_modified(request, saga.version):
        return Response(status_code=304, headers=headers)
    return as_json(sessions.shown(saga), 200, headers)


def _is_news(request: Request, saga: Saga) -> bool:
    """Is there something to tell at once? An ended session never changes any more."""
    known = request.headers.get("if-none-match")
    return saga.ended or (known is not None and not not_modified(request, saga.version))


async def _changed(sessions: Sessions, waiter: Waiter, saga: Saga, limit: float) -> Saga:
    """The Clerk once its version has changed, or after `limit` seconds as it is."""
    clock = asyncio.get_running_loop().time
    until = clock() + limit
    before = saga.version
    while saga.version == before and (left := until - clock()) > 0 and not sessions.watch.closed:
        if await waiter.changed(before, left):
            saga = await run_in_threadpool(sessions.reread, saga.id)
    return saga


def _wish(sessions: Sessions, request: Request, saga: Saga, happening: Cancelled | Expired, granted: str) -> Response:
    check_if_match(request, saga.version)
    seen = saga.version if request.headers.get("if-match", "*").strip() != "*" else None
    try:
        outcome = sessions.manager.wish(saga.id, happening, seen)
    except LostRace:
        raise Problem("overloaded", "The session is changing too quickly just now.", session_id=saga.id) from None
    if outcome is None:
        raise Problem("not_found")
    if isinstance(outcome, Refused):
        raise Problem(outcome.code, outcome.detail, session_id=saga.id)
    status = 200 if outcome.status == granted else 202
    return as_json(sessions.shown(outcome), status, {"ETag": etag(outcome.version)})

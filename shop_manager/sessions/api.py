"""The HTTP routes of sessions: open, read, wait, cancel, expire and list them (docs/design/api.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from domain.refusals import Refused
from http_api.conventions import (
    Id,
    check_if_match,
    etag,
    idempotency_key,
    not_modified,
    other_version,
    page,
    preferred_wait,
    query_moment,
    version_seen,
)
from http_api.held_calls import CHECK_EVERY, when_gone
from http_api.principals import (
    Principal,
    identified,
    principal,
    require_server,
    require_server_or_operator,
)
from http_api.problems import Problem
from http_api.public_address import public_address
from http_api.request import origin, traceparent
from http_api.routes import Routes
from messaging.database_errors import ConcurrencyError
from shop_manager.saga.asking import outgoing_document
from shop_manager.saga.happenings import Amended, Cancelled, Expired
from shop_manager.saga.state import Saga
from shop_manager.sessions import answers
from shop_manager.sessions.amending_request import AmendSession, values_of
from shop_manager.sessions.change_notifier import Waiter
from shop_manager.sessions.links import with_public_links
from shop_manager.sessions.listing import NEWEST, Filter, page_of
from shop_manager.sessions.opening import Caller, Opening
from shop_manager.sessions.opening_request import OpenSession
from shop_manager.sessions.reads import CLIENTS, Sessions
from shop_manager.sessions.view import PublicStatus

Whoever = Annotated[Principal, Depends(principal)]


def opening_router(opening: Opening) -> APIRouter:
    """`POST /shop/session`, for anybody."""
    router = Routes(tags=["sessions"])

    @router.post("/shop/session", status_code=201, **answers.OPEN_SESSION)
    async def open_session(request: Request, who: Whoever, body: OpenSession | None = None) -> Response:
        """Open a session. It may already be further than `open` when it brings its order along."""
        caller = Caller(who, origin(request.scope))
        key = idempotency_key(request, who)
        opened = await opening.opened(body or OpenSession(), caller, key, traceparent(request))
        session = with_public_links(opened.session, public_address(request.scope))
        headers = {"Location": session["links"]["self"], "ETag": etag(session["version"])}
        if opened.replayed:
            headers["Idempotent-Replayed"] = "true"
        return as_json(session, 201, headers)

    return router


def sessions_router(sessions: Sessions) -> APIRouter:
    """One session: for its own customer, the shop's backend and operators; for everybody else there is none (404)."""
    router = Routes(tags=["sessions"])
    _add_reads(router, sessions)
    _add_amending(router, sessions)
    _add_ends(router, sessions)
    return router


def _add_reads(router: APIRouter, sessions: Sessions) -> None:
    @router.get("/shop/session/{session}", **answers.READ_SESSION)
    async def read_session(session: Id, who: Whoever, request: Request) -> Response:
        """The session. With `If-None-Match` 304 when it is known, with `Prefer: wait=20` too not before it changes."""
        limit = preferred_wait(request)
        if not limit or "if-none-match" not in request.headers:
            return _answer(sessions, request, await sessions.seen(session, who))
        with sessions.waiting(session, who, origin(request.scope)) as waiter:
            saga = await sessions.seen(session, who)
            if not _answers_at_once(request, saga):
                async with when_gone(request, waiter.leave):
                    saga = await _changed(sessions, waiter, request, saga, limit)
        return _answer(sessions, request, saga, {"Preference-Applied": f"wait={limit}"})

    @router.get(
        "/shop/session/{session}/clerk",
        **answers.READ_CLERK_DOCUMENT,
        dependencies=[Depends(require_server_or_operator)],
    )
    def read_clerk_document(session: Id, who: Whoever, request: Request) -> Response:
        """The whole Clerk document; of one that failed also `failure`, with what only the shop is told."""
        saga = sessions.read(session, who)
        if not_modified(request, saga.version):
            return Response(status_code=304, headers={"ETag": etag(saga.version)})
        failure = {"failure": saga.failure} if saga.failure else {}
        return as_json({**outgoing_document(saga), **failure}, 200, {"ETag": etag(saga.version)})


def _add_amending(router: APIRouter, sessions: Sessions) -> None:
    @router.patch("/shop/session/{session}", **answers.AMEND_SESSION)
    def amend_session(session: Id, body: AmendSession, who: Whoever, request: Request) -> Response:
        """Change name, e-mail, address or metadata, until the order is past the point of no return.

        A JSON Merge Patch: null takes away. `If-Match` names the version that was seen.
        """
        saga = sessions.read(session, who, CLIENTS)
        seen = version_seen(request)
        if seen != saga.version:
            raise _other_version(sessions, request, saga)
        amended = Amended(values_of(body, saga.document), _client(who))
        granted = _granted(sessions, request, saga, _executed(sessions, saga, amended, seen))
        return as_json(_shown(sessions, request, granted), 200, {"ETag": etag(granted.version)})


def _add_ends(router: APIRouter, sessions: Sessions) -> None:
    @router.post("/shop/session/{session}/cancel", status_code=202, **answers.CANCEL_SESSION)
    def cancel_session(session: Id, who: Whoever, request: Request) -> Response:
        """Call the order off: 202 while it is being undone, 200 when it is canceled."""
        saga = sessions.read(session, who, CLIENTS)
        return _execute(sessions, request, saga, Cancelled(by=_client(who)), "canceled")

    @router.post(
        "/shop/session/{session}/expire",
        status_code=202,
        **answers.EXPIRE_SESSION,
        dependencies=[Depends(require_server)],
    )
    def expire_session(session: Id, who: Whoever, request: Request) -> Response:
        """End the session as if its deadline had come: 202 while it is being undone, 200 when it has expired."""
        saga = sessions.read(session, who, ["server"])
        return _execute(sessions, request, saga, Expired(), "expired")


def session_list_router(sessions: Sessions) -> APIRouter:
    """`GET /shop/session`, for the shop's backend."""
    router = Routes(tags=["sessions"], dependencies=[Depends(require_server)])

    @router.get("/shop/session", **answers.LIST_SESSIONS)
    def list_sessions(
        *,
        request: Request,
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
            created_after=query_moment("created_after", created_after),
        )
        with sessions.manager.database.read() as tx:
            ids, following = page_of(tx, wanted, NEWEST, limit=limit, cursor=cursor, first_steps=sessions.first_steps)
            found = sessions.read_many(tx, ids)
        return as_json(page([_shown(sessions, request, saga) for saga in found], limit, following))

    return router


def as_json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


def _answer(sessions: Sessions, request: Request, saga: Saga, headers: dict[str, str] | None = None) -> Response:
    headers = {**(headers or {}), "ETag": etag(saga.version)}
    if not_modified(request, saga.version):
        return Response(status_code=304, headers=headers)
    return as_json(_shown(sessions, request, saga), 200, headers)


def _shown(sessions: Sessions, request: Request, saga: Saga) -> Mapping[str, Any]:
    return with_public_links(sessions.shown(saga), public_address(request.scope))


def _answers_at_once(request: Request, saga: Saga) -> bool:
    """Must the request be answered at once? An ended session never changes any more."""
    return saga.ended or not not_modified(request, saga.version)


async def _changed(sessions: Sessions, waiter: Waiter, request: Request, saga: Saga, limit: float) -> Saga:
    """The Clerk once its version has changed, or as it is after `limit` seconds or when the client has gone.

    What this process has changed itself is handed over, and not read again.
    At the end it is read once more: another ShopManager may have changed it, and told it to others, a moment ago.
    Problem of `identified` once the access key has ended.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + limit
    before = saga.version
    while saga.version == before and (left := until - clock()) > 0 and not (waiter.gone or sessions.notifier.closed):
        changed = await waiter.changed(before, min(left, CHECK_EVERY))
        await identified(request)
        if changed:
            saga = waiter.told() or await sessions.seen_again(saga.id)
    return saga if saga.version != before else await sessions.seen_again(saga.id)


def _execute(
    sessions: Sessions, request: Request, saga: Saga, happening: Cancelled | Expired, granted: str
) -> Response:
    check_if_match(request, saga.version, current=_shown(sessions, request, saga))
    seen = saga.version if request.headers.get("if-match", "*").strip() != "*" else None
    outcome = _granted(sessions, request, saga, _executed(sessions, saga, happening, seen))
    status = 200 if outcome.status == granted else 202
    return as_json(_shown(sessions, request, outcome), status, {"ETag": etag(outcome.version)})


def _client(who: Principal) -> str:
    """In whose name it is done."""
    return "customer" if who.kind == "customer" else "shop"


def _executed(
    sessions: Sessions, saga: Saga, happening: Amended | Cancelled | Expired, seen: int | None
) -> Saga | Refused:
    """What came of it; `seen`: only if the Clerk is at that version. Problem 503 when it changes too quickly."""
    try:
        outcome = sessions.manager.execute(saga.id, happening, seen)
    except ConcurrencyError:
        raise Problem("overloaded", "The session is changing too quickly just now.", session_id=saga.id) from None
    if outcome is None:
        raise Problem("not_found")
    return outcome


def _granted(sessions: Sessions, request: Request, saga: Saga, outcome: Saga | Refused) -> Saga:
    if isinstance(outcome, Refused) and outcome.code == "version_conflict":
        raise _other_version(sessions, request, sessions.reread(saga.id))
    if isinstance(outcome, Refused):
        raise Problem(outcome.code, outcome.detail, session_id=saga.id)
    return outcome


def _other_version(sessions: Sessions, request: Request, saga: Saga) -> Problem:
    """412, with the session as it is."""
    return other_version(saga.version, _shown(sessions, request, saga), session_id=saga.id)

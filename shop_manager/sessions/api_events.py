"""A session's event stream over HTTP: following it, and the ticket with which a browser may (docs/design/api.md)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from domain.times import to_wire
from http_api.conventions import Id
from http_api.held_calls import EventStream
from http_api.methods import is_head
from http_api.principals import AnyPrincipal, go_on_check
from http_api.public_address import public_address
from http_api.request import origin
from http_api.routes import Routes
from shop_manager.sessions import answers
from shop_manager.sessions.api import as_json
from shop_manager.sessions.events import follow, last_event_id
from shop_manager.sessions.reads import Sessions

Ticket = Annotated[str | None, Query(max_length=200, description="instead of `Authorization`; it works once")]


def events_router(sessions: Sessions) -> APIRouter:
    """For those who may read the session; for everybody else there is none (404)."""
    router = Routes(tags=["sessions"])

    @router.post("/shop/session/{session}/events/ticket", status_code=201, **answers.CREATE_EVENT_TICKET)
    def create_event_ticket(session: Id, who: AnyPrincipal, request: Request) -> Response:
        """A ticket with which an EventSource, which can send no `Authorization`, opens the stream once within 60 s."""
        saga = sessions.read(session, who)
        ticket = sessions.tickets.make(saga.id, who)
        path = public_address(request.scope).path(f"/shop/session/{saga.id}/events?ticket={ticket.text}")
        return as_json({"ticket": ticket.text, "href": path, "expires_at": to_wire(ticket.expires_at)}, 201)

    @router.get("/shop/session/{session}/events", response_class=StreamingResponse, **answers.FOLLOW_SESSION)
    async def follow_session(session: Id, who: AnyPrincipal, request: Request, ticket: Ticket = None) -> Response:
        """The session as it is, and again after each change, until it has ended; a server-sent event each."""
        if ticket is not None:
            shown = sessions.tickets.look if is_head(request.scope) else sessions.tickets.use
            who = await run_in_threadpool(shown, session, ticket)
        saga = await run_in_threadpool(sessions.read, session, who)
        seen = last_event_id(request)
        if saga.ended and seen == saga.version:
            return Response(status_code=204)  # this tells an EventSource not to come back
        place = sessions.waiting(session, who, origin(request.scope))
        events = partial(follow, sessions, saga.id, seen, public_address(request.scope))
        may_go_on = go_on_check(request, who) if ticket is None else sessions.tickets.go_on_check(who)
        return EventStream(place, events, may_go_on=may_go_on)

    return router

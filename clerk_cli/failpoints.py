"""CLERK_FAILPOINT: a process of `clerk serve` that dies at a named point, for fault tests; never in production."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import event

from clerk_cli.errors import Trouble
from clerk_cli.loopback import is_loopback
from messaging.failpoints import BadFailpoint, arm, reached, read_failpoint

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from messaging.database import Database

VARIABLE, MARKER = "CLERK_FAILPOINT", "CLERK_DEVELOPMENT"
_READING = frozenset({"GET", "HEAD"})


def arm_failpoint(environment: Mapping[str, str], host: str) -> bool:
    """Arms what the environment asks for; False when it asks for nothing.

    Trouble when this may be a production start: without CLERK_DEVELOPMENT=yes, or on an address that others reach.
    """
    text = environment.get(VARIABLE)
    if not text:
        return False
    if environment.get(MARKER) != "yes":
        raise Trouble(f"{VARIABLE} is set: it kills this process, and is refused without {MARKER}=yes")
    if not is_loopback(host):
        raise Trouble(f"{VARIABLE} is for development only: host is {host!r}, allowed are 127.0.0.1 and localhost")
    try:
        arm(read_failpoint(text))
    except BadFailpoint as error:
        raise Trouble(f"{VARIABLE}: {error}") from None
    return True


@dataclass
class _Visit:
    """One request at a door."""

    committed: bool = False


_visit: ContextVar[_Visit | None] = ContextVar("visit", default=None)


def watch_doors(app: FastAPI, database: Database) -> None:
    """Puts the two points of HTTP into an application and its database. Only for a process that is armed."""
    app.add_middleware(_Doorkeeper)

    @event.listens_for(database.engine, "commit")
    def _before_commit(_connection: object) -> None:
        visit = _visit.get()
        if visit is not None:
            reached("http_before_commit")
            visit.committed = True


class _Doorkeeper:
    """Knows which commits are made for a caller, and when the caller is about to hear of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _READING:
            await self.app(scope, receive, send)
            return
        visit = _Visit()
        _visit.set(visit)

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start" and visit.committed:
                reached("http_after_commit")
            await send(message)

        await self.app(scope, receive, answering)

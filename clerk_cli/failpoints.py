"""CLERK_FAILPOINT: makes a process of `clerk serve` die at a named point, for fault tests; never in production."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import event

from clerk_cli.development import MARKER, is_development
from clerk_cli.errors import CliError
from clerk_cli.loopback import is_loopback
from messaging.failpoints import BadFailpoint, arm, reached, read_failpoint

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from messaging.database import Database

VARIABLE = "CLERK_FAILPOINT"
_READING = frozenset({"GET", "HEAD"})


def arm_failpoint(environment: Mapping[str, str], host: str) -> bool:
    """Arms the failpoint that the environment variable names; False when it is not set.

    Raises CliError when this may be a production start: without CLERK_DEVELOPMENT=yes, or on an address that others
    reach.
    """
    text = environment.get(VARIABLE)
    if not text:
        return False
    if not is_development(environment):
        raise CliError(f"{VARIABLE} is set: it kills this process, and is refused without {MARKER}=yes")
    if not is_loopback(host):
        raise CliError(f"{VARIABLE} is for development only: host is {host!r}, allowed are 127.0.0.1 and localhost")
    try:
        arm(read_failpoint(text))
    except BadFailpoint as error:
        raise CliError(f"{VARIABLE}: {error}") from None
    return True


@dataclass
class _HttpCall:
    """One HTTP request that may write. `committed`: a transaction was committed for it."""

    committed: bool = False


_current_call: ContextVar[_HttpCall | None] = ContextVar("current_call", default=None)


def install_http_failpoints(app: FastAPI, database: Database) -> None:
    """Puts the points `http_before_commit` and `http_after_commit` into an application and its database.

    Only for a process that is armed.
    """
    app.add_middleware(HttpFailpointMiddleware)

    @event.listens_for(database.engine, "commit")
    def _before_commit(_connection: object) -> None:
        call = _current_call.get()
        if call is not None:
            reached("http_before_commit")
            call.committed = True


class HttpFailpointMiddleware:
    """Notes which commits are made for an HTTP request, and reaches the point before its response begins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _READING:
            await self.app(scope, receive, send)
            return
        call = _HttpCall()
        _current_call.set(call)

        async def send_after_point(message: Message) -> None:
            if message["type"] == "http.response.start" and call.committed:
                reached("http_after_commit")
            await send(message)

        await self.app(scope, receive, send_after_point)

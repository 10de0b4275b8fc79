"""Middleware: under overload a new session is refused within a second, and those that are begun go on.

Every opening that waits makes all the others slower, and its client gives up at last without knowing what came of it.
So only so many are worked on at a time; the others wait at the door, and not for long (docs/decisions/158).
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from http_api.bulkhead import Bulkhead
from http_api.problem_response import problem_response
from http_api.problems import Problem
from http_api.verified_callers import VerifiedCallers
from shop_manager.sessions.session_paths import opens_session

INSIDE = 128
"""Openings that are worked on at a time: two batches of http_api/together.py, and what is read and answered beside."""
OPENING_WAIT = 0.75
"""Seconds; a refusal is told within one."""
COME_AGAIN = 2
"""Seconds that a client is told to wait."""
FULL = "More sessions are being opened than the shop can open at the moment."


class OpeningDoor:
    """Who finds no place inside within `within` seconds is told 503 `overloaded`; places are shared out fairly."""

    def __init__(self, app: ASGIApp, within: float, inside: int = INSIDE) -> None:
        self.app = app
        self._inside = Bulkhead(inside, within)
        self._callers = VerifiedCallers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as held:
            if opens_session(scope):
                full = Problem("overloaded", FULL, retry_after=COME_AGAIN)
                try:
                    await held.enter_async_context(
                        self._inside.place(await self._callers.caller_of(Request(scope)), full)
                    )
                except Problem as refusal:
                    await problem_response(refusal, scope, receive, send)
                    return
            await self.app(scope, receive, send)

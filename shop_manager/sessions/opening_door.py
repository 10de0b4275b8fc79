"""Middleware: under overload a new session is refused within a second, and those that are begun go on.

Every opening that waits makes all the others slower, and its client gives up at last without knowing what came of it.
So only so many are worked on at a time; the others wait at the door, and not for long (docs/decisions/158).
"""

from __future__ import annotations

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
FULL = "More sessions are being opened than the shop can open at the moment."


class OpeningDoor:
    """Who finds no place inside within `within` seconds is told 503 `overloaded`; places are shared out fairly."""

    def __init__(self, app: ASGIApp, within: float, inside: int = INSIDE) -> None:
        self.app = app
        self._inside = Bulkhead(inside, within)
        self._callers = VerifiedCallers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not opens_session(scope):
            await self.app(scope, receive, send)
            return
        caller, full = await self._callers.caller_of(Request(scope)), Problem("overloaded", FULL)
        try:
            async with self._inside.place(caller, full):
                await self.app(scope, receive, send)
        except Problem as problem:
            if problem is not full:
                raise
            await problem_response(full, scope, receive, send)

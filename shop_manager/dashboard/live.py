"""The news of an open page by server-sent events: the pulse above it, and what the page itself wants to tell.

A message holds `<hx-partial>`s only: each names the place it is for. Nothing that is being read is moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from threading import Lock
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from doors.problems import Problem
from messaging.worker import DATABASE_ERRORS
from shop_manager.dashboard.shell import ENVIRONMENT, HEADERS, Shell, login_of

LOOK_EVERY = 2.0
TELL_EVERY = 10.0
LONGEST = 3600.0
NOTICE_EVERY = 0.5
"""Seconds: between two looks; until the time is told anew; after which a stream ends and the page comes again; until a
stream notices that the process ends."""
MOST = 100
"""Streams of one process; the page of the next one just does not change by itself."""
Part = Callable[[Request], str]
"""A page's own news: its `<hx-partial>`s for a stream's request, or nothing. It runs in a thread, again and again."""
log = structlog.get_logger()


class Live:
    """The streams of this process. `parts` are the pages' own, by the name that the page gives as `of`."""

    def __init__(self, shell: Shell, pulse: Callable[[], dict[str, Any]], closed: Callable[[], bool]) -> None:
        self.parts: dict[str, Part] = {}
        self._shell = shell
        self._pulse = pulse
        self._closed = closed
        self._open = 0
        self._guard = Lock()

    def add_route(self, router: APIRouter) -> None:
        router.add_api_route("/live", self.stream, methods=["GET"])

    def stream(self, request: Request) -> StreamingResponse:
        with self._guard:
            if self._open >= MOST:
                raise Problem("overloaded", "Too many pages are open.")
            self._open += 1
        return StreamingResponse(self._news(request), headers=HEADERS, media_type="text/event-stream")

    async def _news(self, request: Request) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        until, told_at, told = clock() + LONGEST, float("-inf"), ""
        try:
            yield b": here we are\n\n"
            while clock() < until and not self._closed() and not await request.is_disconnected():
                seen = await run_in_threadpool(self._look, request)
                if seen is None:
                    return
                state, message = seen
                if state != told or clock() - told_at >= TELL_EVERY:
                    told_at, told = clock(), state
                    yield as_event(message)
                await self._pause(clock)
        finally:
            with self._guard:
                self._open -= 1

    async def _pause(self, clock: Callable[[], float]) -> None:
        """Until the next look; short when the process ends, which waits a second for its streams."""
        until = clock() + LOOK_EVERY
        while clock() < until and not self._closed():
            await asyncio.sleep(min(NOTICE_EVERY, until - clock()))

    def _look(self, request: Request) -> tuple[str, str] | None:
        """(what would be new if it differs, the message); None ends the stream: the login or the database is gone."""
        try:
            if self._shell.logins.find(login_of(request).token, used=False) is None:
                return None
            pulse = self._pulse()
            part = self.parts.get(request.query_params.get("of", ""))
            own = part(request) if part else ""
        except DATABASE_ERRORS as error:
            log.warning("live_ends", trouble=type(error).__name__)
            return None
        inside = ENVIRONMENT.get_template("pulse.html").render(pulse=pulse)
        state = f"{pulse['count']} {pulse['money_at_risk']} {own}"
        return state, partial("pulse", inside) + own


def partial(target: str, content: str) -> str:
    """The new content of the element with that id."""
    return f'<hx-partial hx-target="#{target}" hx-swap="innerHTML">{content}</hx-partial>'


def as_event(text: str) -> bytes:
    return "".join(f"data: {line}\n" for line in text.splitlines()).encode() + b"\n"

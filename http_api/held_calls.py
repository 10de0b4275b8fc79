"""Calls that stay open: event streams that hold a place, and noticing that the client of a long poll has gone.

This code is asynchronous: nothing of it may hold a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, suppress
from typing import Generic, TypeVar

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from http_api.methods import is_head

PlaceT = TypeVar("PlaceT")
NOT_BUFFERED = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
"""That nothing on the way may keep back what a stream says, nor pack it, which keeps it back too."""
KEEP_ALIVE = 12.0
"""Seconds without a word after which a comment is sent: with what a busy process may add, at least every 15."""
STILL_HERE = b": still here\n\n"
CHECK_EVERY = 5.0
"""Seconds after which a call that stays open is asked again whether it still may."""
GoOnCheck = Callable[[], bool]
"""May the call stay open? It may look into a database, and is called in a thread."""


class EventStream(StreamingResponse, Generic[PlaceT]):
    """Server-sent events. The place is taken when the response begins, and is free once the client has gone.

    Problem of `place` when there is none: then nothing has been sent yet. `events` makes the stream's bytes of what
    the place gives; the stream ends once it may not go on. HEAD is answered at once, with the headers of GET's stream.
    """

    def __init__(
        self,
        place: AbstractContextManager[PlaceT],
        events: Callable[[PlaceT], AsyncGenerator[bytes, None]],
        headers: Mapping[str, str] | None = None,
        *,
        may_go_on: GoOnCheck | None = None,
    ) -> None:
        super().__init__((), headers={**NOT_BUFFERED, **(headers or {})}, media_type="text/event-stream")
        self._place = place
        self._events = events
        self._may_go_on = may_go_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place as place:
            if is_head(scope):
                await super().__call__(scope, receive, send)  # of the empty body it was made with
                return
            async with aclosing(KeptAlive(self._events(place), self._may_go_on)) as events:
                self.body_iterator = events
                await super().__call__(scope, receive, send)


class KeptAlive:
    """What a stream says, and a comment whenever it has said nothing for KEEP_ALIVE seconds, whatever holds it up.

    It ends, and says nothing more, CHECK_EVERY seconds after `may_go_on` would have said no.
    """

    def __init__(self, events: AsyncGenerator[bytes, None], may_go_on: GoOnCheck | None = None) -> None:
        self._events = events
        self._may_go_on = may_go_on
        self._checked_at = asyncio.get_running_loop().time()
        self._coming: asyncio.Task[bytes | None] | None = None

    def __aiter__(self) -> KeptAlive:
        return self

    async def __anext__(self) -> bytes:
        self._coming = self._coming or asyncio.create_task(self._next())
        clock = asyncio.get_running_loop().time
        quiet_until, done = clock() + KEEP_ALIVE, False
        while not done and (left := quiet_until - clock()) > 0:
            done = bool((await asyncio.wait({self._coming}, timeout=min(left, CHECK_EVERY)))[0])
            await self._check(clock())
        if not done:
            return STILL_HERE
        said, self._coming = self._coming.result(), None
        if said is None:
            raise StopAsyncIteration
        return said

    async def aclose(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)
        await self._events.aclose()

    async def _check(self, now: float) -> None:
        if self._may_go_on is None or now - self._checked_at < CHECK_EVERY:
            return
        if not await run_in_threadpool(self._may_go_on):
            raise StopAsyncIteration
        self._checked_at = now

    async def _next(self) -> bytes | None:
        return await anext(self._events, None)


@asynccontextmanager
async def when_gone(request: Request, act: Callable[[], None]) -> AsyncIterator[None]:
    """Calls `act` when the client goes while the block lasts. The request's body must have been read before."""

    async def listen() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        act()

    listening = asyncio.create_task(listen())
    try:
        yield
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

"""A session's server-sent events: its state at once, and again after each change, until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import structlog
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from messaging.worker import DATABASE_ERRORS
from shop_manager.saga import Saga
from shop_manager.sessions import Sessions

HEARTBEAT = 15.0
LONGEST = 3600.0
"""Seconds after which a stream ends: whoever still follows comes again with its Last-Event-ID."""
RETRY_MS = 2000
log = structlog.get_logger()


def last_event_id(request: Request) -> int | None:
    """The version that the caller has seen; None when there is none, or none of ours."""
    given = request.headers.get("last-event-id", "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


async def follow(sessions: Sessions, clerk: str, seen: int | None) -> AsyncIterator[bytes]:
    """The stream's bytes. When the database fails it just ends: the caller comes again and goes on where it was."""
    clock = asyncio.get_running_loop().time
    until = clock() + LONGEST
    yield f"retry: {RETRY_MS}\n\n".encode()
    with sessions.watch.watching(clerk) as waiter:
        while clock() < until and not sessions.watch.closed:
            try:
                saga = await run_in_threadpool(sessions.reread, clerk)
            except DATABASE_ERRORS as error:
                log.warning("stream_ends", clerk=clerk, trouble=type(error).__name__)
                return
            if seen is None or saga.version > seen:
                yield event(sessions, saga)
            if saga.ended:
                return
            seen = saga.version
            while not await waiter.changed(seen, HEARTBEAT):
                if clock() >= until or sessions.watch.closed:
                    return
                yield b": still here\n\n"


def event(sessions: Sessions, saga: Saga) -> bytes:
    data = orjson.dumps(sessions.shown(saga))  # orjson writes no line breaks: one `data:` line is the whole session
    return b"id: %d\nevent: session\ndata: %s\n\n" % (saga.version, data)

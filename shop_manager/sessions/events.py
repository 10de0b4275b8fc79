"""The event stream of a session (server-sent events): it is sent at once and after each change, until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import orjson
import structlog
from starlette.requests import Request

from domain.public_url import PublicAddress
from messaging.database_errors import DATABASE_ERRORS
from shop_manager.saga.state import Saga
from shop_manager.sessions.change_notifier import Waiter
from shop_manager.sessions.links import with_public_links
from shop_manager.sessions.reads import Sessions

LONGEST = 3600.0
"""Seconds after which a stream ends; a client that still follows reconnects with its Last-Event-ID."""
RETRY_MS = 2000
_LINE_ENDS = tuple((mark.encode(), f"\\u{ord(mark):04x}".encode()) for mark in ("\x85", "\u2028", "\u2029"))
log = structlog.get_logger()


def last_event_id(request: Request) -> int | None:
    """The version that the client has seen; None when the header is missing, or no version."""
    given = request.headers.get("last-event-id", "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


async def follow(
    sessions: Sessions, clerk: str, seen: int | None, address: PublicAddress, waiter: Waiter
) -> AsyncGenerator[bytes, None]:
    """The stream's bytes, while the waiter has its place.

    When the database fails it just ends: the client reconnects and goes on where it was.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + LONGEST
    yield f"retry: {RETRY_MS}\n\n".encode()
    while clock() < until and not sessions.notifier.closed:
        try:
            saga = waiter.told() or await sessions.seen_again(clerk)
        except DATABASE_ERRORS as error:
            log.warning("stream_ends", clerk=clerk, trouble=type(error).__name__)
            return
        if saga.version != seen:  # a version that has not come yet is of another time: nothing of this one was seen
            yield event(sessions, saga, address)
        if saga.ended:
            return
        seen = saga.version
        await waiter.changed(seen, until - clock())


def event(sessions: Sessions, saga: Saga, address: PublicAddress) -> bytes:
    data = on_one_line(with_public_links(sessions.shown(saga), address))
    return b"id: %d\nevent: session\ndata: %s\n\n" % (saga.version, data)


def on_one_line(content: object) -> bytes:
    """The JSON of an event's one `data:` line.

    orjson writes no CR and no LF. The other ends of lines that Unicode has are escaped: clients split lines there too.
    """
    data = orjson.dumps(content)
    for mark, escaped in _LINE_ENDS:
        data = data.replace(mark, escaped)
    return data

"""That something has changed: counters and the ids of changed Clerks, as server-sent events for open lists.

One reader looks for all followers of this process, once in LOOK_EVERY seconds and only while there are some.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from threading import Lock
from typing import Any

import orjson
import structlog
from fastapi.concurrency import run_in_threadpool

from doors.problems import Problem
from messaging.worker import DATABASE_ERRORS

LOOK_EVERY = 0.5
HEARTBEAT = 15.0
LONGEST = 3600.0
"""Seconds: between two looks, well within those that a stopping process waits for its streams; of silence after which
a comment is sent; after which a follower has to come again."""
MOST = 100
"""Followers of one process."""
IDS = 100
"""Changed Clerks that one event names; `more` says that there are others."""
log = structlog.get_logger()


class News:
    """`read` gives the counters (`reads.counters`); `changed` is told which Clerks this process has changed."""

    def __init__(self, read: Callable[[], Mapping[str, Any]], closed: Callable[[], bool]) -> None:
        self.every = LOOK_EVERY
        self._read = read
        self._closed = closed
        self._followers: dict[object, set[str]] = {}
        self._guard = Lock()
        self._latest: tuple[float, dict[str, Any]] | None = None

    def changed(self, clerks: Iterable[str]) -> None:
        """From any thread, after the commit."""
        if not self._followers:
            return
        with self._guard:
            for seen in self._followers.values():
                if len(seen) <= IDS:  # who reads slowly is told `more`, and nothing piles up
                    seen.update(clerks)

    def check_room(self) -> None:
        """Problem 503 `overloaded` when MOST follow already."""
        if len(self._followers) >= MOST:
            raise Problem("overloaded", "Too many follow the news.")

    async def follow(self) -> AsyncIterator[bytes]:
        """The stream's bytes: an event at once, and again when a counter or a Clerk has changed.

        Data: `{checked_at, counts, stuck: {count, money_at_risk}, parked, mark, clerks: [ids], more}`; `clerks` are
        those that this process has changed, `mark` differs whenever a live Clerk of any has. When the database fails
        the stream ends, and the follower comes again.
        """
        clock = asyncio.get_running_loop().time
        me, until, told_at, told = object(), clock() + LONGEST, clock(), b""
        with self._guard:
            self._followers[me] = set()
        try:
            yield b"retry: 2000\n\n"
            while clock() < until and not self._closed():
                try:
                    state = await run_in_threadpool(self._look, clock())
                except DATABASE_ERRORS as error:
                    log.warning("news_end", trouble=type(error).__name__)
                    return
                ids = self._take(me)
                seen = orjson.dumps({name: value for name, value in state.items() if name != "checked_at"})
                if ids or seen != told:
                    told_at, told = clock(), seen
                    yield _event({**state, "clerks": ids[:IDS], "more": len(ids) > IDS})
                elif clock() - told_at >= HEARTBEAT:
                    told_at = clock()
                    yield b": still here\n\n"
                await asyncio.sleep(self.every)
        finally:
            with self._guard:
                del self._followers[me]

    def _take(self, me: object) -> list[str]:
        with self._guard:
            ids, self._followers[me] = sorted(self._followers[me]), set()
        return ids

    def _look(self, now: float) -> dict[str, Any]:
        """The counters, read at most once in `every` seconds for all followers together."""
        latest = self._latest
        if latest is None or now - latest[0] >= self.every / 2:
            latest = self._latest = (now, dict(self._read()))
        return latest[1]


def _event(content: Mapping[str, Any]) -> bytes:
    return b"event: changed\ndata: %s\n\n" % orjson.dumps(content)

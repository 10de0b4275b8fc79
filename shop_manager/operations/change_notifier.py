"""Tells open lists that something has changed: counters and the ids of changed Clerks, as server-sent events.

The counters are read once for all followers of this process, every LOOK_EVERY seconds, and only while there are some.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any

import orjson
import structlog
from fastapi.concurrency import run_in_threadpool

from http_api.places import ALL, Bound, Places
from http_api.principals import Principal
from messaging.database_errors import DATABASE_ERRORS

LOOK_EVERY = 0.5
"""Seconds between two looks; a stopping process waits longer than that for its streams."""
LONGEST = 3600.0
"""Seconds until a stream ends and the follower reconnects."""
MOST = 100
"""Followers of one process."""
OF_KEY = 20
IDS = 100
"""Changed Clerks that one event names; `more` says that there are others."""
log = structlog.get_logger()


class ListChangeNotifier:
    """`read` returns the counters (`reads.counters`); `changed` must be called with the Clerks that have changed."""

    def __init__(self, read: Callable[[], Mapping[str, Any]], closed: Callable[[], bool]) -> None:
        self.every = LOOK_EVERY
        self._read = read
        self._closed = closed
        self._followers: dict[object, set[str]] = {}
        self.places = Places()
        self._lock = Lock()
        self._latest: tuple[float, dict[str, Any]] | None = None

    def changed(self, clerks: Iterable[str]) -> None:
        """From any thread, after the commit."""
        if not self._followers:
            return
        with self._lock:
            for seen in self._followers.values():
                if len(seen) <= IDS:  # a slow reader gets `more`; the set does not grow any further
                    seen.update(clerks)

    def place(self, who: Principal) -> AbstractContextManager[None]:
        """What a follower holds. Problem 429 when this operator's key has OF_KEY, 503 when MOST follow already."""
        of_key = Bound(f"key {who.key_id}", OF_KEY, f"With this key {OF_KEY} calls follow the news already.")
        return self.places.held([of_key, Bound(ALL, MOST, "Too many follow the news.", "overloaded")])

    async def follow(self) -> AsyncGenerator[bytes, None]:
        """The stream's bytes: an event at once, and again when a counter or a Clerk has changed.

        Data: `{checked_at, counts, stuck: {count, money_at_risk, money_to_settle}, parked, mark, clerks: [ids], more}`;
        `clerks` are those that this process has changed, `mark` differs whenever a live Clerk of any has. When the
        database fails the stream ends, and the follower reconnects.
        """
        clock = asyncio.get_running_loop().time
        me, until, told = object(), clock() + LONGEST, b""
        with self._lock:
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
                    told = seen
                    yield _event({**state, "clerks": ids[:IDS], "more": len(ids) > IDS})
                await asyncio.sleep(self.every)
        finally:
            with self._lock:
                del self._followers[me]

    def _take(self, me: object) -> list[str]:
        with self._lock:
            ids, self._followers[me] = sorted(self._followers[me]), set()
        return ids

    def _look(self, now: float) -> dict[str, Any]:
        """The counters, read once for all followers in `every` seconds."""
        latest = self._latest
        if latest is None or now - latest[0] >= self.every / 2:
            latest = self._latest = (now, dict(self._read()))
        return latest[1]


def _event(content: Mapping[str, Any]) -> bytes:
    return b"event: changed\ndata: %s\n\n" % orjson.dumps(content)

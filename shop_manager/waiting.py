"""Waiting for a Clerk to change, for long polls and event streams, without holding a thread each.

Who changes a Clerk in this process says so (`changed`); for other processes' changes one query looks after all the
Clerks that are waited for, every 0.75 s. This is one of the two places where our code is asynchronous.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

import structlog
from sqlalchemy import select

from doors.problems import Problem
from messaging.database import Database
from messaging.worker import DATABASE_ERRORS
from shop_manager.store import clerks

LOOK_EVERY = 0.75
MOST = 2000
"""Waiting callers of one process; the next one is asked to come again later."""
log = structlog.get_logger()


class Waiter:
    """One caller who waits for one Clerk. Made and awaited in one event loop."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.version: int | None = None
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    async def changed(self, version: int, limit: float) -> bool:
        """True once the Clerk may have another version than this; False after `limit` seconds, or at closing time."""
        self.version = version
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), limit)
        fresh = self._news.is_set() and not self.watch.closed
        self._news.clear()
        return fresh

    def wake(self) -> None:
        """From any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._news.set)


class Watch:
    """Who waits for which Clerk in this process. `versions` reads the current ones of some Clerks."""

    def __init__(self, versions: Callable[[list[str]], Mapping[str, int]], *, every: float = LOOK_EVERY) -> None:
        self._versions = versions
        self._every = every
        self._waiting: dict[str, set[Waiter]] = {}
        self._count = 0
        self._guard = Lock()
        self._looking: Thread | None = None
        self._stop = Event()

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    @property
    def full(self) -> bool:
        return self._count >= MOST

    @contextmanager
    def watching(self, clerk: str) -> Iterator[Waiter]:
        """Register, then read the Clerk, then wait: so no change falls in between. Problem 503 when too many wait."""
        waiter = Waiter(self)
        with self._guard:
            if self.full:
                raise Problem("overloaded", "Too many callers wait for changes.")
            self._count += 1
            self._waiting.setdefault(clerk, set()).add(waiter)
            if self._looking is None and not self.closed:
                self._looking = Thread(target=self._look_on, name="shop_manager-watch", daemon=True)
                self._looking.start()
        try:
            yield waiter
        finally:
            with self._guard:
                self._count -= 1
                self._waiting[clerk].discard(waiter)
                if not self._waiting[clerk]:
                    del self._waiting[clerk]

    def changed(self, clerks: Iterable[str]) -> None:
        """These have changed; from any thread, after the commit."""
        if not self._count:
            return
        with self._guard:
            concerned = [waiter for clerk in clerks for waiter in self._waiting.get(clerk, ())]
        for waiter in concerned:
            waiter.wake()

    def close(self) -> None:
        """Let everybody who waits go on: the process ends."""
        self._stop.set()
        with self._guard:
            concerned = [waiter for waiters in self._waiting.values() for waiter in waiters]
        for waiter in concerned:
            waiter.wake()

    def _look_on(self) -> None:
        """Until nobody waits any more."""
        while not self._stop.wait(self._every):
            with self._guard:
                if not self._waiting:
                    self._looking = None
                    return
                clerks = list(self._waiting)
            try:
                self._compare(self._versions(clerks))
            except DATABASE_ERRORS as error:
                log.warning("watch_waits", trouble=str(getattr(error, "orig", None) or error).strip().splitlines()[0])

    def _compare(self, versions: Mapping[str, int]) -> None:
        with self._guard:
            concerned = [
                waiter
                for clerk, version in versions.items()
                for waiter in self._waiting.get(clerk, ())
                if waiter.version not in (None, version)
            ]
        for waiter in concerned:
            waiter.wake()


def versions_in(database: Database) -> Callable[[list[str]], Mapping[str, int]]:
    """Reads the versions of some Clerks, narrow rows only."""

    def versions(ids: list[str]) -> Mapping[str, int]:
        with database.read() as tx:
            rows = tx.execute(select(clerks.c.id, clerks.c.version).where(clerks.c.id.in_(ids)))
            return {row.id: row.version for row in rows}

    return versions

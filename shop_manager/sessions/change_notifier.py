"""Wakes long polls and event streams when their Clerk has changed; none of them holds a thread while it waits.

The Manager of this process reports its changes with `changed`, and hands over what it has committed: nobody need read
it. For changes by other processes one query reads the versions of all Clerks that are waited for, every LOOK_EVERY
seconds. This code is asynchronous, as is events.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

import structlog
from sqlalchemy import select

from http_api.problems import Problem
from messaging.database import Database
from messaging.database_errors import DATABASE_ERRORS, said_by
from shop_manager.engine.manager import Changed
from shop_manager.engine.tables import clerks
from shop_manager.saga.state import Saga

LOOK_EVERY = 0.75
"""Seconds."""
MOST = 2000
"""Requests that may wait in one process; the next one gets a Problem 503."""
log = structlog.get_logger()


class Waiter:
    """One request that waits for one Clerk. It is made and awaited in the same event loop."""

    def __init__(self, notifier: ChangeNotifier) -> None:
        self.notifier = notifier
        self.version: int | None = None
        self.gone = False
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._told: Saga | None = None

    async def changed(self, version: int, limit: float) -> bool:
        """True once the Clerk may have another version than this; False after `limit` seconds, or at closing time."""
        self.version = version
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), limit)
        fresh = self._event.is_set() and not self.notifier.closed
        self._event.clear()
        return fresh

    def leave(self) -> None:
        """The client has gone: nobody waits any more. In the event loop."""
        self.gone = True
        self._event.set()

    def told(self) -> Saga | None:
        """The Clerk as this process has changed it since the version that was waited for; None: it has to be read."""
        told, self._told = self._told, None
        return told if told and told.version > (self.version or 0) else None

    def wake(self, saga: Saga | None = None) -> None:
        """From any thread. `saga`: as it has just been committed."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._wake, saga)

    def _wake(self, saga: Saga | None) -> None:
        if saga is None or self._told is None or saga.version > self._told.version:
            self._told = saga
        self._event.set()


class ChangeNotifier:
    """Which requests of this process wait for which Clerk. `versions` reads the current versions of some Clerks."""

    def __init__(self, versions: Callable[[list[str]], Mapping[str, int]], *, every: float = LOOK_EVERY) -> None:
        self._versions = versions
        self._every = every
        self._waiting: dict[str, set[Waiter]] = {}
        self._count = 0
        self._lock = Lock()
        self._poller: Thread | None = None
        self._stop = Event()

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._count

    @contextmanager
    def watching(self, clerk: str) -> Iterator[Waiter]:
        """Register, then read the Clerk, then wait: so no change falls in between. Problem 503 when too many wait."""
        waiter = Waiter(self)
        with self._lock:
            if self._count >= MOST:
                raise Problem("overloaded", "Too many callers wait for changes.")
            self._count += 1
            self._waiting.setdefault(clerk, set()).add(waiter)
            if self._poller is None and not self.closed:
                self._poller = Thread(target=self._poll, name="shop_manager-changes", daemon=True)
                self._poller.start()
        try:
            yield waiter
        finally:
            with self._lock:
                self._count -= 1
                self._waiting[clerk].discard(waiter)
                if not self._waiting[clerk]:
                    del self._waiting[clerk]

    def changed(self, clerks: Changed) -> None:
        """Wake those who wait for these Clerks. From any thread, after the commit."""
        if not self._count:
            return
        with self._lock:
            concerned = [(waiter, saga) for clerk, saga in clerks.items() for waiter in self._waiting.get(clerk, ())]
        for waiter, saga in concerned:
            waiter.wake(saga)

    def close(self) -> None:
        """Wake all who wait: the process ends."""
        self._stop.set()
        with self._lock:
            concerned = [waiter for waiters in self._waiting.values() for waiter in waiters]
        for waiter in concerned:
            waiter.wake()

    def _poll(self) -> None:
        """Runs in a thread until nobody waits any more."""
        while not self._stop.wait(self._every):
            with self._lock:
                if not self._waiting:
                    self._poller = None
                    return
                clerks = list(self._waiting)
            try:
                self._compare(self._versions(clerks))
            except DATABASE_ERRORS as error:
                log.warning("watch_waits", trouble=said_by(error))

    def _compare(self, versions: Mapping[str, int]) -> None:
        with self._lock:
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
        with database.look() as tx:
            rows = tx.execute(select(clerks.c.id, clerks.c.version).where(clerks.c.id.in_(ids)))
            return {row.id: row.version for row in rows}

    return versions

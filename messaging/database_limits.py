"""How long somebody who is waited for waits for a database, and how many may at once.

A request that waits for a database that hangs holds a thread. So requests, and only they (`in_a_hurry`), get few places
at each database and give up after a short while: the threads that are left answer everybody else. Workers and
commands wait as long as it takes.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition
from time import monotonic

import psycopg2
from psycopg2 import extensions
from sqlalchemy.exc import TimeoutError as PoolTimeout

from messaging.database_errors import DATABASE_ERRORS

MOST_PLACES = 16
"""Of requests at one database: less than half of the forty threads that answer requests."""
PLACE_WITHIN = 3.0
"""Seconds that a request waits for a place, and for the one right to write (SQLite)."""
CONNECTION_WITHIN = 2.0
"""Seconds that anybody waits for one of the pool's connections."""
ANSWER_WITHIN = 5.0
"""Seconds that a request's transaction may take."""
LOCK_WITHIN_MS = 4000
"""A request waits no longer than that for another transaction's lock."""
CONNECT_WITHIN = 5.0
_in_a_hurry: ContextVar[bool] = ContextVar("in_a_hurry", default=False)
_until: ContextVar[float | None] = ContextVar("until", default=None)
"""When this thread gives up its wait for PostgreSQL, by `time.monotonic`; None: never."""


class NoAnswer(psycopg2.OperationalError):
    """The database did not answer in time; psycopg2 has closed the connection."""


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Somebody waits for what is done in this block: give up early. It goes along into threads of the HTTP side."""
    before = _in_a_hurry.set(True)
    try:
        yield
    finally:
        _in_a_hurry.reset(before)


def hurries() -> bool:
    """Is this thread inside `in_a_hurry`?"""
    return _in_a_hurry.get()


@contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """PostgreSQL has to answer everything in this block within so many seconds: else NoAnswer."""
    until, outer = monotonic() + seconds, _until.get()
    before = _until.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _until.reset(before)


def wait_for_answer(connection: extensions.connection) -> None:
    """How psycopg2 waits for PostgreSQL, where `psycopg2.extensions.set_wait_callback` names it."""
    until = _until.get()
    while (state := connection.poll()) != extensions.POLL_OK:
        ready = select.poll()
        ready.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left = None if until is None else max(0.0, until - monotonic()) * 1000
        if not ready.poll(left):
            raise NoAnswer("the database does not answer")


class Places:
    """So many may be inside at the same time, the others wait.

    Once somebody waited in vain while nobody left, nobody waits any more until one has left without an error.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._free = most
        self._stuck = False
        self._fine = 0
        self._changed = Condition()

    @property
    def held(self) -> int:
        """How many are inside."""
        return self.most - self._free

    @contextmanager
    def taken(self, within: float | None) -> Iterator[None]:
        """Inside for the block. `within`: the longest wait in seconds, then PoolTimeout; None: as long as it takes."""
        self._enter(within)
        fine = True
        try:
            yield
        except DATABASE_ERRORS:
            fine = False
            raise
        finally:
            with self._changed:
                self._free += 1
                if fine:
                    self._stuck = False
                    self._fine += 1
                self._changed.notify()

    def _enter(self, within: float | None) -> None:
        with self._changed:
            if not self._free and within is not None:
                if self._stuck:
                    raise PoolTimeout("all places at the database are taken by callers that get no answer")
                before = self._fine
                if not self._changed.wait_for(self._has_room, within):
                    self._stuck = self._fine == before
                    raise PoolTimeout(f"no place at the database became free within {within:g} s")
            self._changed.wait_for(self._has_room)
            self._free -= 1

    def _has_room(self) -> bool:
        return self._free > 0

"""A value that costs something to find out: asked often, found out seldom."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from messaging.database_errors import DATABASE_ERRORS

EVERY = 5.0
"""Seconds for which what was found counts."""
ValueT = TypeVar("ValueT")


class Lately(Generic[ValueT]):
    """What `read` has found in the last seconds; None where its database has not answered.

    One thread at a time reads, the others get what was found before: a storm of questions is one transaction, and a
    database that hangs holds one thread. `clock` gives seconds.
    """

    def __init__(
        self, read: Callable[[], ValueT], every: float = EVERY, clock: Callable[[], float] = monotonic
    ) -> None:
        self._read = read
        self._every = every
        self._clock = clock
        self._reading = Lock()
        self._due = float("-inf")
        self._found: ValueT | None = None

    def value(self) -> ValueT | None:
        if self._clock() >= self._due and self._reading.acquire(blocking=False):
            try:
                self._found = self._read()
            except DATABASE_ERRORS:
                self._found = None
            finally:
                self._due = self._clock() + self._every
                self._reading.release()
        return self._found

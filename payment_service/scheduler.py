"""Calls functions later: one thread and a heap, however many functions wait."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from threading import Condition, Thread
from time import monotonic

import structlog

log = structlog.get_logger()


class Scheduler:
    """`scheduler(3.0, act)` calls `act` in three seconds. The thread starts with the first call.

    What still waits at `close` is dropped.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = Condition()
        self._numbers = count()
        self._closed = False
        self._thread: Thread | None = None

    def __call__(self, seconds: float, act: Callable[[], None]) -> None:
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._heap, (monotonic() + seconds, next(self._numbers), act))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="scheduler", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        while (act := self._next()) is not None:
            try:
                act()
            except Exception:  # one that fails must not stop the others
                log.exception("later_failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                pause = self._heap[0][0] - monotonic() if self._heap else None
                if pause is not None and pause <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(pause)
        return None

"""Deliveries between the thread that receives them and the worker that takes them; and how to acknowledge cheaply."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable

from messaging.broker import Delivery


class Waiting:
    """A thread-safe line of deliveries. Bounded by the broker, which sends no more than the prefetch unacknowledged."""

    def __init__(self) -> None:
        self._line: deque[Delivery] = deque()
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False

    def put(self, delivery: Delivery) -> None:
        with self._changed:
            self._line.append(delivery)
            self._changed.notify()

    def drop(self) -> None:
        """The channel they came through is gone: the broker will send them again."""
        with self._changed:
            self._line.clear()

    def wake(self) -> None:
        """Make the take that waits, or else the next one, return early."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """From now on there is nothing to wait for."""
        with self._changed:
            self._closed = True
            self._line.clear()
            self._changed.notify_all()

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Up to `most`; blocks up to `wait` seconds for the first."""
        until = time.monotonic() + wait
        with self._changed:
            while not (self._line or self._woken or self._closed):
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            self._woken = False
            return [self._line.popleft() for _ in range(min(most, len(self._line)))]


class Unacknowledged:
    """The delivery tags of one channel that the broker still waits for, oldest first. Belongs to the I/O thread."""

    def __init__(self) -> None:
        self._tags: dict[int, None] = {}  # a set that keeps its order, which is ascending

    def add(self, tag: int) -> None:
        self._tags[tag] = None

    def settle(self, tags: Iterable[int]) -> list[tuple[int, bool]]:
        """The acknowledgements to send for `tags`, each `(tag, multiple)`; those not open any more are left out.

        One `multiple` covers the run of oldest tags that are all meant: never a tag that somebody still works on.
        """
        meant = {tag for tag in tags if tag in self._tags}
        run = 0
        for tag in self._tags:
            if tag not in meant:
                break
            run = tag
        for tag in meant:
            del self._tags[tag]
        head = [(run, True)] if run else []
        return head + [(tag, False) for tag in sorted(meant) if tag > run]

"""Deliveries between the thread that receives them and the worker that takes them; and how to acknowledge cheaply."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable

from messaging.broker import Delivery


class DeliveryBuffer:
    """A thread-safe queue of deliveries in memory. It needs no limit: the broker sends at most `prefetch` ahead."""

    def __init__(self) -> None:
        self._deliveries: deque[Delivery] = deque()
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False

    def put(self, delivery: Delivery) -> None:
        with self._changed:
            self._deliveries.append(delivery)
            self._changed.notify()

    def clear(self) -> None:
        """The channel they came through is gone: the broker will send them again."""
        with self._changed:
            self._deliveries.clear()

    def wake(self) -> None:
        """Make a blocked, or else the next, `take` return early."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """From now on there is nothing to wait for."""
        with self._changed:
            self._closed = True
            self._deliveries.clear()
            self._changed.notify_all()

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Up to `most`; blocks up to `wait` seconds for the first."""
        until = time.monotonic() + wait
        with self._changed:
            while not (self._deliveries or self._woken or self._closed):
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            self._woken = False
            return [self._deliveries.popleft() for _ in range(min(most, len(self._deliveries)))]


class UnacknowledgedTags:
    """The delivery tags of one channel that we have not acknowledged yet, oldest first. Belongs to the I/O thread."""

    def __init__(self) -> None:
        self._tags: dict[int, None] = {}  # a set that keeps its order, which is ascending

    def add(self, tag: int) -> None:
        self._tags[tag] = None

    def acknowledge(self, tags: Iterable[int]) -> list[tuple[int, bool]]:
        """Takes `tags` off; returns the acknowledgements to send, each `(tag, multiple)`. Unknown tags are left out.

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

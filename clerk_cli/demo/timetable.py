"""Who does what when: stories that go on step by step, all in one thread.

A story is a generator; what it yields is for how many seconds it pauses.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from threading import Event
from time import monotonic

import structlog

from clerk_cli.demo.door import NotServed

Story = Iterator[float]
IDLE = 0.2
"""Seconds after which we look again whether to stop."""
log = structlog.get_logger()


class Timetable:
    """`clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._numbers = count()
        self._due: list[tuple[float, int, Story]] = []

    def add(self, story: Story, within: float = 0.0) -> None:
        """It begins in so many seconds."""
        heapq.heappush(self._due, (self._clock() + within, next(self._numbers), story))

    def run(self, stop: Event) -> None:
        """Until it is told to stop, or no story is left."""
        while self._due and not stop.is_set():
            wait = self._due[0][0] - self._clock()
            if wait > 0:
                stop.wait(min(wait, IDLE))
            else:
                self._go_on(heapq.heappop(self._due)[2])

    def _go_on(self, story: Story) -> None:
        """A story whose shop has no time for it ends here; the others go on."""
        try:
            pause = next(story, None)
        except NotServed as reason:
            log.info("visit_ended", reason=str(reason))
            return
        if pause is not None:
            self.add(story, pause)

"""Runs the demo's stories, such as a customer's visit, side by side in one thread.

A story is a generator; each value that it yields is for how many seconds it pauses.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from threading import Event
from time import monotonic

import structlog

from clerk_cli.demo.shop_client import CallFailed

Story = Iterator[float]
LONGEST_WAIT = 0.2
"""Seconds between two looks at whether to stop."""
log = structlog.get_logger()


class StoryScheduler:
    """A queue of stories by the moment at which they go on. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._numbers = count()
        self._due: list[tuple[float, int, Story]] = []

    def add(self, story: Story, within: float = 0.0) -> None:
        """The story begins, or goes on, in `within` seconds."""
        heapq.heappush(self._due, (self._clock() + within, next(self._numbers), story))

    def run(self, stop: Event) -> None:
        """Returns when `stop` is set, or no story is left."""
        while self._due and not stop.is_set():
            wait = self._due[0][0] - self._clock()
            if wait > 0:
                stop.wait(min(wait, LONGEST_WAIT))
            else:
                self._resume(heapq.heappop(self._due)[2])

    def _resume(self, story: Story) -> None:
        """Run the story to its next pause; one whose call failed ends here, and the others go on."""
        try:
            pause = next(story, None)
        except CallFailed as reason:
            log.info("visit_ended", reason=str(reason))
            return
        if pause is not None:
            self.add(story, pause)

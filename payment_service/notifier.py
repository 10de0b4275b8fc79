"""Wakes the threads of this process that wait for a change, so that they look again at once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition


class Notifier:
    """`watch` before looking, then pause after each look that found nothing: no change in between is missed."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    def notify(self) -> None:
        """Something has changed."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def watch(self) -> Callable[[float], None]:
        """A pause for one waiting thread: so many seconds, or until a change since `watch` or the pause before."""
        seen = self._count

        def pause(seconds: float) -> None:
            nonlocal seen
            with self._changed:
                self._changed.wait_for(lambda: self._count != seen, seconds)
                seen = self._count

        return pause

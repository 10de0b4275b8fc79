"""A bell for those who wait in this process: something has changed, look again."""

from __future__ import annotations

from threading import Condition


class Bell:
    """`count` before looking, `wait` after having seen nothing: a bell in between is not missed."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def set(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Until the bell rang after `seen`, or `seconds` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._count != seen, seconds)

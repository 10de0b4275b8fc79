"""The work that waits for the provider gateway's thread: calls to hand over, answers, and calls that may be due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition, local

from payment_service.provider import ProviderAnswer


@dataclass
class Work:
    """What is taken out of the queue at once. `keys`: new calls; `check_due`: look for calls whose time has come."""

    keys: list[str] = field(default_factory=list)
    answers: list[ProviderAnswer] = field(default_factory=list)
    check_due: bool = False

    def __bool__(self) -> bool:
        return bool(self.keys or self.answers or self.check_due)


class WorkQueue:
    """Filled from any thread, emptied by one.

    `add_uncommitted` only remembers keys, within a transaction of the calling thread; `committed` puts what this thread
    has remembered into the queue. Keys of a transaction that was rolled back get in, too: there is no row for them, and
    the gateway leaves them.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._work = Work()
        self._mine = local()
        self._woken = False

    def add_uncommitted(self, keys: Sequence[str]) -> None:
        self._mine.keys = [*getattr(self._mine, "keys", ()), *keys]

    def committed(self) -> None:
        keys = getattr(self._mine, "keys", ())
        if keys:
            self._mine.keys = []
            with self._changed:
                self._work.keys += keys
                self._changed.notify()

    def answered(self, answers: Sequence[ProviderAnswer]) -> None:
        with self._changed:
            self._work.answers += answers
            self._changed.notify()

    def check_due(self) -> None:
        """To be called regularly: calls may have become due."""
        with self._changed:
            self._work.check_due = True
            self._changed.notify()

    def wake(self) -> None:
        """Ends a `take` that waits."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    @property
    def is_empty(self) -> bool:
        return not self._work

    def take(self, wait: float) -> Work:
        """All the work there is; waits up to `wait` seconds for the first, or until `wake`."""
        with self._changed:
            self._changed.wait_for(lambda: self._work or self._woken, wait)
            self._woken = False
            work, self._work = self._work, Work()
        return work

"""What waits for the thread that talks to the provider: keys to hand over, answers, and a look at the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition, local

from payment_service.provider import Answer


@dataclass
class Post:
    """What was taken out at once."""

    keys: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    look: bool = False

    def __bool__(self) -> bool:
        return bool(self.keys or self.answers or self.look)


class Mailbox:
    """Filled from any thread, emptied by one.

    `note` only jots keys down, within a transaction of the calling thread; `committed` releases what this thread has
    jotted down. A key whose transaction was rolled back is released too: whoever takes it finds no row and leaves it.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._post = Post()
        self._mine = local()
        self._woken = False

    def note(self, keys: Sequence[str]) -> None:
        self._mine.keys = [*getattr(self._mine, "keys", ()), *keys]

    def committed(self) -> None:
        keys = getattr(self._mine, "keys", ())
        if keys:
            self._mine.keys = []
            with self._changed:
                self._post.keys += keys
                self._changed.notify()

    def answered(self, answers: Sequence[Answer]) -> None:
        with self._changed:
            self._post.answers += answers
            self._changed.notify()

    def look(self) -> None:
        """Somebody's time has come, perhaps."""
        with self._changed:
            self._post.look = True
            self._changed.notify()

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify()

    def take(self, wait: float) -> Post:
        """Everything that is there; waits up to `wait` seconds for the first, or until `wake`."""
        with self._changed:
            self._changed.wait_for(lambda: self._post or self._woken, wait)
            self._woken = False
            post, self._post = self._post, Post()
        return post

"""Who may use what a service keeps for a session, and the short wait for what is about to arrive there.

A session's 201 is answered before its first command has reached the service: a quick customer must not meet a 404.
What belongs to another session is treated exactly like what does not exist, the wait included (security S1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Lock
from time import monotonic, sleep
from typing import Generic, Protocol, TypeVar

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two looks: doubling from the first to the longest."""
MayUse = Callable[[str], bool]
"""(the session's secret_sha256) → may the principal act on that session?"""
Pause = Callable[[float], object]
FoundT = TypeVar("FoundT")


KEY = ""
"""As a network: the caller has an access key, and is not counted by where it calls from."""


class BoundedWait:
    """Looks again for a short while. At most `places` calls wait at the same time, because each holds a thread.

    One network without an access key has a quarter of them, so that it does not take the wait from all others.
    `pauses` makes, for one waiting call, the function that pauses it for at most so many seconds. `clock` gives
    seconds; without one it is the process's own.
    """

    def __init__(
        self, places: int, *, pauses: Callable[[], Pause] = lambda: sleep, clock: Callable[[], float] | None = None
    ) -> None:
        self._places = places
        self._of_network = max(1, places // 4)
        self._held: Counter[str] = Counter()
        self._lock = Lock()
        self._pauses = pauses
        self._clock = clock or monotonic

    def until(self, seconds: float, look: Callable[[], FoundT | None], network: str = KEY) -> FoundT | None:
        """What `look` finds within so many seconds, or None. When no place is free it looks only once."""
        pause = self._pauses()  # made before the first look, so that it ends at once after a change in between
        found = look()
        if found is not None or not self._take(network):
            return found
        try:
            return self._look_again(seconds, look, pause)
        finally:
            with self._lock:
                self._held[network] -= 1
                self._held += Counter()  # drops those that have none any more

    def _take(self, network: str) -> bool:
        with self._lock:
            free = self._held.total() < self._places and (network == KEY or self._held[network] < self._of_network)
            self._held[network] += free
            return free

    def _look_again(self, seconds: float, look: Callable[[], FoundT | None], pause: Pause) -> FoundT | None:
        end, length = self._clock() + seconds, FIRST_PAUSE
        while (left := end - self._clock()) > 0:
            pause(min(length, left))
            length = min(length * 2, LONGEST_PAUSE)
            found = look()
            if found is not None:
                return found
        return None


class OfASession(Protocol):
    """Something that belongs to the session with this secret (SHA-256, hex)."""

    @property
    def secret_sha256(self) -> str: ...


OfASessionT = TypeVar("OfASessionT", bound=OfASession)


class AccessCheck(Generic[OfASessionT]):
    """`read` gives what is kept for a session, None when there is nothing; `seconds`: the longest wait for it."""

    def __init__(self, read: Callable[[str], OfASessionT | None], wait: BoundedWait, seconds: float) -> None:
        self._read = read
        self._wait = wait
        self._seconds = seconds

    def find(self, session: str, may_use: MayUse, network: str = KEY) -> OfASessionT | None:
        """What is kept for the session; None, after the same wait, when there is nothing or it may not be used."""
        return self._wait.until(self._seconds, lambda: self._find_now(session, may_use), network)

    def _find_now(self, session: str, may_use: MayUse) -> OfASessionT | None:
        found = self._read(session)
        return found if found is not None and may_use(found.secret_sha256) else None

"""How often somebody may try a password: by name and address together, by address, and by name (security S2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from doors.limits import Buckets, Rate

PAIR = Rate(per_second=0.1, burst=5)
ADDRESS = Rate(per_second=0.5, burst=20)
NAME = Rate(per_second=1, burst=100)
"""Wide: who guesses from many addresses is slowed down, and yet nobody can lock an operator out with five guesses."""
REMEMBERED = 10_000


class Throttle:
    """Token buckets in one bounded table. `clock` gives seconds. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets = Buckets(REMEMBERED)
        self._lock = Lock()

    def take(self, name: str, address: str) -> int:
        """0 when the password may be tried, else the whole seconds until the next try."""
        with self._lock:
            now = self._clock()
            waits = [self._buckets.take(bucket, rate, now) for bucket, rate in _buckets(name, address)]
        return max(waits)

    def succeeded(self, name: str, address: str) -> None:
        """A right password is not counted."""
        with self._lock:
            for bucket, rate in _buckets(name, address):
                self._buckets.give_back(bucket, rate)


def _buckets(name: str, address: str) -> list[tuple[str, Rate]]:
    known = name[:128]
    return [(f"pair:{known}@{address}", PAIR), (f"address:{address}", ADDRESS), (f"name:{known}", NAME)]

"""Limits how often passwords are tried: by name and address together, by address and /48, and by name (S2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from domain.visible_text import comparison_key
from http_api.rate_limits import NETWORK_FACTOR, Buckets, Rate
from http_api.request import Origin

PAIR = Rate(per_second=0.1, burst=5)
ADDRESS = Rate(per_second=0.5, burst=20)
NAME = Rate(per_second=1, burst=100)
"""High: it slows guessing from many addresses down, and nobody can lock an operator out with five wrong guesses."""
REMEMBERED = 10_000


class LoginThrottle:
    """Token buckets in one bounded table. `clock` gives seconds. Safe in any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets = Buckets(REMEMBERED)
        self._lock = Lock()

    def take(self, name: str, origin: Origin) -> int:
        """0 when the password may be tried, else the whole seconds until the next try."""
        with self._lock:
            now = self._clock()
            waits = [self._buckets.take(bucket, rate, now) for bucket, rate in _buckets(name, origin)]
        return max(waits)

    def take_origin(self, origin: Origin) -> int:
        """The same for who only asks to be sent to an OpenID provider, where the password is tried."""
        with self._lock:
            return self._buckets.take(f"provider:{origin.address}", ADDRESS, self._clock())

    def succeeded(self, name: str, origin: Origin) -> None:
        """A right password is not counted."""
        with self._lock:
            for bucket, rate in _buckets(name, origin):
                self._buckets.give_back(bucket, rate)


def _buckets(name: str, origin: Origin) -> list[tuple[str, Rate]]:
    known = comparison_key(name[:128])  # however it is written, it is one name that is guessed for
    buckets = [
        (f"pair:{known}@{origin.address}", PAIR),
        (f"address:{origin.address}", ADDRESS),
        (f"name:{known}", NAME),
    ]
    if origin.network != origin.address:
        buckets.append((f"address:{origin.network}", ADDRESS.times(NETWORK_FACTOR)))
    return buckets

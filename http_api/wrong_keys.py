"""How many keys that open nothing may be shown from one network: each costs a look into the database and a hash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from http_api.problems import Problem
from http_api.rate_limits import Buckets, Rate

WRONG = Rate(per_second=20, burst=200)


class WrongKeys:
    """For any thread. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], most: int) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets = Buckets(most)

    @contextmanager
    def counted(self, network: str) -> Iterator[Callable[[], None]]:
        """While a key is looked at that was not good within the last minute; what is given is called for a wrong one.

        Problem 429 when this network has shown too many.
        """
        with self._lock:
            wait = self._buckets.take(network, WRONG, self._clock())
        if wait:
            raise Problem("too_many_requests", "Too many keys came from here that open nothing.", retry_after=wait)
        wrong = False

        def is_wrong() -> None:
            nonlocal wrong
            wrong = True

        try:
            yield is_wrong
        finally:
            if not wrong:
                with self._lock:
                    self._buckets.give_back(network, WRONG)

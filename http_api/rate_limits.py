"""How much one client may send: sizes, times, and token buckets in a table of bounded size. No clock of its own."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

NETWORK_FACTOR = 8
"""What a network has, as a multiple of what one of its addresses has (http_api/request.py, `origin`)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, then `per_second` of them."""

    per_second: float
    burst: float

    def times(self, factor: float) -> Rate:
        return Rate(self.per_second * factor, self.burst * factor)


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. `clients` is how many keys and addresses are remembered at once.

    All the /64 of one IPv6 /48 together have NETWORK_FACTOR times what one address has.
    """

    body: int = 64 * 1024
    body_seconds: float = 20.0
    open_session: Rate = Rate(per_second=30, burst=300)
    anonymous: Rate = Rate(per_second=300, burst=600)
    authenticated: Rate = Rate(per_second=1000, burst=2000)
    clients: int = 10_000


class Buckets:
    """Token buckets by name. The one unused longest is forgotten first. Not thread-safe, for the event loop only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, name: str, rate: Rate, now: float) -> int:
        """0 when the request may pass, else the whole seconds (≥ 1) until the next one may. `now` in seconds."""
        tokens, before = self._levels.pop(name, (rate.burst, now))
        tokens = min(rate.burst, tokens + max(0.0, now - before) * rate.per_second)
        wait = 0
        if tokens >= 1:
            tokens -= 1
        else:
            wait = max(1, math.ceil((1 - tokens) / rate.per_second))
        self._levels[name] = (tokens, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return wait

    def give_back(self, name: str, rate: Rate) -> None:
        """Puts back what was taken last; does nothing for a name that is forgotten already."""
        if name in self._levels:
            tokens, then = self._levels[name]
            self._levels[name] = (min(rate.burst, tokens + 1), then)

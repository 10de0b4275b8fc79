"""How many cards may be declined to callers without an access key, by where they call from, over all sessions (S5).

Each try takes a place, and gets it back when the provider approves it; so what has no answer yet counts too. In this
process only, like the rates (docs/decisions/061).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from time import monotonic

import structlog

from http_api.rate_limits import Buckets, Rate
from http_api.request import Origin
from payment_service.provider import ProviderAnswer

PER_ADDRESS = 50
"""Cards an hour. A network has NETWORK_FACTOR times as many."""
NETWORK_FACTOR = 4
REMEMBERED = 10_000
"""Addresses, and tries without an answer."""
_LOG_EVERY = Rate(per_second=1 / 60, burst=1)
log = structlog.get_logger()


class CardTries:
    """Token buckets: `per_address` cards at once, then so many an hour. `clock` gives seconds. Safe in any thread."""

    def __init__(self, per_address: int = PER_ADDRESS, clock: Callable[[], float] = monotonic) -> None:
        self._rate = Rate(per_second=per_address / 3600, burst=per_address)
        self._clock = clock
        self._lock = Lock()
        self._buckets = Buckets(REMEMBERED)
        self._open: OrderedDict[str, Origin] = OrderedDict()

    def take(self, key: str, origin: Origin) -> int:
        """0 when the call with this key may go to the provider, else the whole seconds until the next try."""
        with self._lock:
            now = self._clock()
            taken: list[tuple[str, Rate]] = []
            for name, rate in self._limits(origin):
                wait = self._buckets.take(name, rate, now)
                if wait:
                    self._give_back(taken)
                    if not self._buckets.take("log", _LOG_EVERY, now):
                        log.warning("cards_refused", limit=name.partition(":")[0], wait_seconds=wait)
                    return wait
                taken.append((name, rate))
            self._open[key] = origin
            if len(self._open) > REMEMBERED:
                self._open.popitem(last=False)
            return 0

    def answered(self, answers: Iterable[ProviderAnswer]) -> None:
        """A card that was approved was no try in vain; one without an answer still counts."""
        with self._lock:
            for answer in answers:
                origin = self._open.pop(answer.key, None) if answer.outcome != "no_answer" else None
                if origin is not None and answer.outcome == "approved":
                    self._give_back(self._limits(origin))

    def _limits(self, origin: Origin) -> list[tuple[str, Rate]]:
        limits = [(f"address:{origin.address}", self._rate)]
        if origin.network != origin.address:
            limits.append((f"network:{origin.network}", self._rate.times(NETWORK_FACTOR)))
        return limits

    def _give_back(self, taken: Iterable[tuple[str, Rate]]) -> None:
        for name, rate in taken:
            self._buckets.give_back(name, rate)

"""A bulkhead: so many at the same time, so that one thing that hangs holds up itself and nothing else.

It is fair: no stranger takes the places of callers with an access key, nor one stranger those of all others
(docs/decisions/084).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from http_api.problems import Problem


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a place counts for: an access key that was found to be good, or else the network of the call."""

    name: str
    has_key: bool


class Bulkhead:
    """`places` may be inside at the same time; who finds none waits at most `within` seconds. For one event loop.

    Callers without an access key have three quarters of the places together, and one network of theirs a half. A place
    that becomes free is given to a caller of those who hold the fewest.
    """

    def __init__(self, places: int, within: float) -> None:
        self._places = places
        self._of_strangers = max(1, places - places // 4)
        self._of_network = max(1, places // 2)
        self._within = within
        self._held: Counter[Caller] = Counter()
        self._strangers = 0
        self._waiting: dict[Caller, deque[asyncio.Future[None]]] = {}

    @property
    def most(self) -> int:
        return self._places

    @property
    def held(self) -> int:
        """How many are inside. From any thread."""
        return self._held.total()

    @property
    def waiting(self) -> int:
        """How many wait for a place. From any thread."""
        return sum(len(queue) for queue in list(self._waiting.values()))

    @asynccontextmanager
    async def place(self, caller: Caller, refusal: Problem) -> AsyncIterator[None]:
        """A place for the length of the block; raises `refusal` when none became free in time."""
        if self._has_room(caller):
            self._take(caller)
        else:
            await self._wait(caller, refusal)
        try:
            yield
        finally:
            self._leave(caller)

    async def _wait(self, caller: Caller, refusal: Problem) -> None:
        given = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(given)
        try:
            async with asyncio.timeout(self._within):
                await given
        except TimeoutError:
            self._give_up(caller, given)
            raise refusal from None
        except asyncio.CancelledError:
            self._give_up(caller, given)
            raise

    def _give_up(self, caller: Caller, given: asyncio.Future[None]) -> None:
        if not given.cancelled():  # its place came at the same moment
            self._leave(caller)
        elif given in self._waiting.get(caller, ()):
            self._waiting[caller].remove(given)
            if not self._waiting[caller]:
                del self._waiting[caller]

    def _has_room(self, caller: Caller) -> bool:
        if self._held.total() >= self._places:
            return False
        return caller.has_key or (self._strangers < self._of_strangers and self._held[caller] < self._of_network)

    def _take(self, caller: Caller) -> None:
        self._held[caller] += 1
        self._strangers += not caller.has_key

    def _leave(self, caller: Caller) -> None:
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._strangers -= not caller.has_key
        while candidates := [waiting for waiting in self._waiting if self._has_room(waiting)]:
            self._hand_on(min(candidates, key=self._held.__getitem__))

    def _hand_on(self, caller: Caller) -> None:
        """A place for the one of this caller's that has waited longest; the caller's others go behind everybody."""
        queue = self._waiting.pop(caller)
        given = queue.popleft()
        if queue:
            self._waiting[caller] = queue
        if not given.done():
            self._take(caller)
            given.set_result(None)

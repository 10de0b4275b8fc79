"""How many connections one HTTP server holds, and which of them has to go when there is no room for another.

A connection is refused when all places, or its address's share of them, are taken by connections that are in use; one
that only waits for its next request makes room. Used in the event loop only.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from collections import Counter, OrderedDict
from typing import Protocol

LEAVING = 32
"""Connections that have been told their last answer and are still open, so that nobody loses it. The oldest goes."""
ACCEPTED = 8
"""Connections that are accepted at once, before any of them is counted."""
BESIDE = LEAVING + 4 * ACCEPTED
"""Files that connections need beyond their places."""
LOOK_EVERY = 0.25
"""Seconds between two looks at whose time is over."""
SHARE = 3 / 4
"""Of the places, for one address."""


class Connection(Protocol):
    """What is asked of a connection."""

    @property
    def address(self) -> str:
        """Under which it is counted."""

    def give_way(self) -> None:
        """Close: it waits for its next request."""

    def abort(self) -> None:
        """Close at once, whatever is unsent."""

    def check_time(self, now: float) -> None:
        """Close when it has had its time. `now` in seconds, of the event loop."""


class Connections:
    """The open connections. `shared`: no address has them all; not where a proxy's address stands for everybody's."""

    def __init__(self, most: int, *, shared: bool = True) -> None:
        self.most = most
        self.share = max(1, int(most * SHARE)) if shared else most
        self._placed: set[Connection] = set()
        self._by_address: Counter[str] = Counter()
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._leaving: OrderedDict[Connection, None] = OrderedDict()
        self._next_look: TimerHandle | None = None

    def __len__(self) -> int:
        """How many have a place."""
        return len(self._placed)

    def placed(self) -> list[Connection]:
        """Those that have a place."""
        return list(self._placed)

    def admit(self, new: Connection) -> bool:
        """Does it get a place? Else the caller has to tell it so, and `leaves`."""
        if self._by_address[new.address] >= self.share and not self._close_one_of(new.address):
            return False
        if len(self._placed) >= self.most and not self._close_one_of(None):
            return False
        self._placed.add(new)
        self._by_address[new.address] += 1
        return True

    def waits(self, one: Connection) -> None:
        """It has its answer and waits for its next request: it may be asked to give way."""
        if one in self._placed:
            self._waiting[one] = None

    def works(self, one: Connection) -> None:
        """A request is coming on it, or is being answered."""
        self._waiting.pop(one, None)

    def leaves(self, one: Connection) -> None:
        """It has been told its last answer: its place is free."""
        self.forget(one)
        self._leaving[one] = None
        if len(self._leaving) > LEAVING:
            oldest, _ = self._leaving.popitem(last=False)
            oldest.abort()

    def forget(self, gone: Connection) -> None:
        """It is closed. Again does nothing."""
        self._leaving.pop(gone, None)
        self._waiting.pop(gone, None)
        if gone in self._placed:
            self._placed.remove(gone)
            self._by_address[gone.address] -= 1
            if not self._by_address[gone.address]:
                del self._by_address[gone.address]

    def keep_time(self, loop: AbstractEventLoop) -> None:
        """From now on each open connection is asked again and again whether it has had its time."""
        if self._next_look is None:
            self._next_look = loop.call_later(LOOK_EVERY, self._look, loop)

    def _look(self, loop: AbstractEventLoop) -> None:
        everybody = [*self._placed, *self._leaving]
        for each in everybody:
            each.check_time(loop.time())
        self._next_look = None
        if everybody:
            self.keep_time(loop)

    def _close_one_of(self, address: str | None) -> bool:
        """Close the one that waits longest, of this address or of any; False when none waits."""
        longest = next((each for each in self._waiting if address in (None, each.address)), None)
        if longest is None:
            return False
        self.forget(longest)
        longest.give_way()
        return True

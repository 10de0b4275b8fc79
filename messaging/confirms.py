"""Publisher confirms, pure: which of the parcels in flight has the broker taken, refused, or found no queue for?

Confirms of several queues arrive out of order, and one may stand for `multiple`: so the open delivery tags are kept,
never "the last one".
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import takewhile

from messaging.broker import Parcel


class Batch:
    """The parcels of one `publish` call, and what became of each. Filled by the I/O thread, read by the caller."""

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self.parcels = tuple(parcels)
        self.settled = threading.Event()
        """Set when every parcel has its answer, or none will come any more."""
        self._lock = threading.Lock()
        self._confirmed: set[int] = set()
        self._returned: dict[int, str] = {}  # unroutable: parcel number → routing key
        self._refused: set[int] = set()
        self._open = len(self.parcels)
        if not self.parcels:
            self.settled.set()

    def give_back(self, parcel: Parcel) -> bool:
        """The broker found no queue for it. False when that was known already."""
        with self._lock:
            known = parcel.number in self._returned
            self._returned[parcel.number] = parcel.routing_key
            return not known

    def settle(self, parcel: Parcel, *, taken: bool) -> None:
        """The broker's answer to one parcel. It also acknowledges what it has just returned: that is no confirm."""
        with self._lock:
            if not taken:
                self._refused.add(parcel.number)
            elif parcel.number not in self._returned:
                self._confirmed.add(parcel.number)
            self._open -= 1
            if self._open == 0:
                self.settled.set()

    def confirmed(self) -> set[int]:
        with self._lock:
            return set(self._confirmed)

    def complaint(self) -> str | None:
        """One clear line on what is still unsent and why; None when all of it was confirmed."""
        with self._lock:
            missing = len(self.parcels) - len(self._confirmed)
            unanswered = missing - len(self._returned) - len(self._refused)
            reasons = []
            if self._returned:
                reasons.append(f"{len(self._returned)} unroutable, no queue takes {min(self._returned.values())}")
            if self._refused:
                reasons.append(f"{len(self._refused)} refused by the broker (queue full?)")
            if unanswered > 0:
                reasons.append(f"{unanswered} not confirmed in time")
        return f"{missing} of {len(self.parcels)} parcels unsent: {'; '.join(reasons)}" if missing else None


class Confirms:
    """The open delivery tags of one channel. Belongs to the I/O thread."""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, tuple[Batch, Parcel]] = {}  # ascending, as tags are given out in order

    def sent(self, batch: Batch, parcel: Parcel) -> None:
        """`parcel` has just been published: it has the channel's next delivery tag."""
        self._last += 1
        self._open[self._last] = (batch, parcel)

    def returned(self, number: int, routing_key: str) -> None:
        """The broker found no queue for the oldest open parcel of this number that it has not returned yet."""
        for batch, parcel in self._open.values():
            if parcel.number == number and parcel.routing_key == routing_key and batch.give_back(parcel):
                return

    def answered(self, tag: int, *, multiple: bool, taken: bool) -> list[Parcel]:
        """basic.ack (`taken`) or basic.nack of `tag`, and with `multiple` of all open ones before it: of which ones."""
        tags = list(takewhile(lambda one: one <= tag, self._open)) if multiple else [tag]
        settled = []
        for one in tags:
            if one in self._open:
                batch, parcel = self._open.pop(one)
                batch.settle(parcel, taken=taken)
                settled.append(parcel)
        return settled

    def abandon(self) -> None:
        """The channel is gone: no answer will come any more."""
        for batch, _ in self._open.values():
            batch.settled.set()
        self._open.clear()


class Refusals:
    """Which receivers' queues have refused everything on this channel, and since when. Belongs to the I/O thread.

    A channel that met a full quorum queue is refused for ever when the queue's limit is lifted while it is full:
    RabbitMQ tells the channel only when the queue has drained below its limit. A channel opened anew is not.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since: dict[tuple[str, str], float] = {}

    def last_too_long(self, answered: Iterable[Parcel], *, taken: bool, now: float) -> bool:
        """The broker's answer to these, at `now` (monotonic seconds). True: one has refused for `limit` seconds."""
        for parcel in answered:
            receiver = parcel.exchange, parcel.routing_key.partition(".")[0]
            if taken:
                self._since.pop(receiver, None)
            else:
                self._since.setdefault(receiver, now)
        return any(now - since >= self._limit for since in self._since.values())

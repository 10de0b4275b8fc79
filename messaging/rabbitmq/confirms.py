"""Publisher confirms: which of the messages sent has the broker taken, refused, or found no queue for?

Knows no connection: it is told what was sent and what the broker answered. Confirms of several queues arrive out of
order, and one may stand for `multiple`: so all open delivery tags are kept, never only the last.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import takewhile

from messaging.broker import OutboundMessage


class PublishBatch:
    """The messages of one `publish` call, and what became of each.

    Filled by the I/O thread, read by the thread that publishes: a lock keeps them apart.
    """

    def __init__(self, outbound: Sequence[OutboundMessage]) -> None:
        self.outbound = tuple(outbound)
        self.settled = threading.Event()
        """Set when every message has its answer, or none will come any more."""
        self._lock = threading.Lock()
        self._confirmed: set[int] = set()
        self._returned: dict[int, str] = {}  # unroutable: message number → routing key
        self._refused: set[int] = set()
        self._open = len(self.outbound)
        if not self.outbound:
            self.settled.set()

    def mark_returned(self, message: OutboundMessage) -> bool:
        """The broker found no queue for it. False when that was known already."""
        with self._lock:
            known = message.number in self._returned
            self._returned[message.number] = message.topic
            return not known

    def mark_answered(self, message: OutboundMessage, *, taken: bool) -> None:
        """The broker's answer to one message. It also acknowledges what it has just returned: that is no confirm."""
        with self._lock:
            if not taken:
                self._refused.add(message.number)
            elif message.number not in self._returned:
                self._confirmed.add(message.number)
            self._open -= 1
            if self._open == 0:
                self.settled.set()

    def confirmed(self) -> set[int]:
        with self._lock:
            return set(self._confirmed)

    def trouble(self) -> str | None:
        """One clear line on what is still unsent and why; None when all of it was confirmed."""
        with self._lock:
            missing = len(self.outbound) - len(self._confirmed)
            unanswered = missing - len(self._returned) - len(self._refused)
            reasons = []
            if self._returned:
                reasons.append(f"{len(self._returned)} unroutable, no queue takes {min(self._returned.values())}")
            if self._refused:
                reasons.append(f"{len(self._refused)} refused by the broker (queue full?)")
            if unanswered > 0:
                reasons.append(f"{unanswered} not confirmed in time")
        return f"{missing} of {len(self.outbound)} parcels unsent: {'; '.join(reasons)}" if missing else None


class PendingConfirms:
    """The open delivery tags of one channel. Belongs to the I/O thread."""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, tuple[PublishBatch, OutboundMessage]] = {}  # ascending, as tags are given out in order

    def sent(self, batch: PublishBatch, message: OutboundMessage) -> None:
        """`message` has just been published: it has the channel's next delivery tag."""
        self._last += 1
        self._open[self._last] = (batch, message)

    def returned(self, number: int, routing_key: str) -> None:
        """The broker found no queue for the oldest open message of this number that it has not returned yet."""
        for batch, message in self._open.values():
            if message.number == number and message.topic == routing_key and batch.mark_returned(message):
                return

    def answered(self, tag: int, *, multiple: bool, taken: bool) -> list[OutboundMessage]:
        """basic.ack (`taken`) or basic.nack of `tag`, and with `multiple` of all open ones before it: of which ones."""
        tags = list(takewhile(lambda one: one <= tag, self._open)) if multiple else [tag]
        settled = []
        for one in tags:
            if one in self._open:
                batch, message = self._open.pop(one)
                batch.mark_answered(message, taken=taken)
                settled.append(message)
        return settled

    def open(self) -> list[OutboundMessage]:
        """Those that have no answer yet."""
        return [message for _, message in self._open.values()]

    def abandon(self) -> None:
        """The channel is gone: no answer will come any more."""
        for batch, _ in self._open.values():
            batch.settled.set()
        self._open.clear()


class QueueRefusals:
    """Which queues have refused everything on this channel, and since when. Belongs to the I/O thread.

    A channel that met a full quorum queue is refused for ever when the queue's limit is lifted while it is full:
    RabbitMQ tells the channel only when the queue has drained below its limit. A channel opened anew is not.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since: dict[tuple[str, str], float] = {}

    def too_long(self, answered: Iterable[OutboundMessage], *, taken: bool, now: float) -> bool:
        """The broker's answer to these, at `now` (monotonic seconds). True: a queue has refused for `limit` seconds."""
        for message in answered:
            queue = message.destination, message.topic.partition(".")[0]
            if taken:
                self._since.pop(queue, None)
            else:
                self._since.setdefault(queue, now)
        return any(now - since >= self._limit for since in self._since.values())

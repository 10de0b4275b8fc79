"""The in-process broker of `clerk up`: the same exchanges, keys and queues as RabbitMQ, kept in memory.

It loses everything when the process ends. That is allowed: outboxes and resends bring it all back (M1, M4).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from threading import Condition

from domain.document import SERVICES
from messaging.broker import (
    COMMANDS_EXCHANGE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    REPLIES_EXCHANGE,
    REPLIES_QUEUE,
    Delivery,
    Parcel,
    commands_queue,
)


def route(exchange: str, routing_key: str) -> str | None:
    """The queue that a delivery goes to, or None when it is unroutable."""
    addressee = routing_key.split(".", 1)[0]
    if exchange == COMMANDS_EXCHANGE and addressee in SERVICES:
        return commands_queue(addressee)
    if exchange == REPLIES_EXCHANGE and addressee == "shop_manager":
        return REPLIES_QUEUE
    return DEAD_QUEUE if exchange == DEAD_EXCHANGE else None


class MemoryQueue:
    """One queue; whoever waits for it is woken alone."""

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque()
        self.changed = Condition()


class MemoryBroker:
    """Queues in memory; `link` gives each participant its connection."""

    def __init__(self) -> None:
        self.queues = {queue: MemoryQueue() for queue in (*map(commands_queue, SERVICES), REPLIES_QUEUE, DEAD_QUEUE)}
        self.tags = count(1)

    def link(self, consumes: str | None, name: str) -> MemoryLink:
        return MemoryLink(self, consumes, name)

    def put(self, queue: str, body: bytes, routing_key: str) -> None:
        """Put raw bytes on a queue, as anybody with a broker's password could."""
        waiting = self.queues[queue]
        with waiting.changed:
            waiting.deliveries.append(Delivery(body, routing_key, False, next(self.tags), queue))
            waiting.changed.notify()

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """Unacknowledged deliveries return to the head of their queue, marked as redelivered."""
        for delivery in sorted(deliveries, key=lambda each: each.tag, reverse=True):
            waiting = self.queues[delivery.queue]
            with waiting.changed:
                waiting.deliveries.appendleft(replace(delivery, redelivered=True))
                waiting.changed.notify()

    def depth(self, queue: str) -> int:
        return len(self.queues[queue].deliveries)


class MemoryLink:
    """A `Link` (broker.py) to a MemoryBroker; never down between `start` and `close`."""

    def __init__(self, broker: MemoryBroker, consumes: str | None, name: str) -> None:
        self.broker = broker
        self.consumes = consumes
        self.name = name
        self.connected = False
        self.trouble: str | None = "not started"
        self.connections = 0
        self._queue = broker.queues[consumes] if consumes else MemoryQueue()
        self._unacknowledged: dict[int, Delivery] = {}
        self._woken = False

    def start(self) -> None:
        self.connected, self.trouble = True, None
        self.connections += 1

    def take(self, most: int, wait: float) -> list[Delivery]:
        queue = self._queue
        with queue.changed:
            queue.changed.wait_for(lambda: self._woken or (self.connected and queue.deliveries), wait)
            self._woken = False
            ready = min(most, len(queue.deliveries)) if self.connected else 0
            taken = [queue.deliveries.popleft() for _ in range(ready)]
            self._unacknowledged.update((delivery.tag, delivery) for delivery in taken)
        return taken

    def wake(self) -> None:
        with self._queue.changed:
            self._woken = True
            self._queue.changed.notify_all()

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        if not self.connected:
            return set()
        routed = [(parcel, route(parcel.exchange, parcel.routing_key)) for parcel in parcels]
        unroutable = [parcel.routing_key for parcel, queue in routed if queue is None]
        self.trouble = f"unroutable: {unroutable[0]}" if unroutable else None
        for parcel, queue in routed:
            if queue is not None:
                self.broker.put(queue, parcel.body, parcel.routing_key)
        return {parcel.number for parcel, queue in routed if queue is not None}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        with self._queue.changed:
            for delivery in deliveries:
                self._unacknowledged.pop(delivery.tag, None)

    def close(self) -> None:
        self.wake()
        with self._queue.changed:
            self.connected, self.trouble = False, "closed"
            left = list(self._unacknowledged.values())
            self._unacknowledged.clear()
        self.broker.put_back(left)

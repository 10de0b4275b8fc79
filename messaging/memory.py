"""The in-process broker of `clerk up`: the same exchanges, keys and queues as RabbitMQ, kept in memory.

It loses everything when the process ends. That is allowed: outboxes and resends bring it all back (M1, M4).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
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


class MemoryBroker:
    """Queues in memory; `link` gives each participant its connection."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.queues: dict[str, deque[Delivery]] = {
            queue: deque() for queue in (*map(commands_queue, SERVICES), REPLIES_QUEUE, DEAD_QUEUE)
        }
        self.tags = count(1)

    def link(self, consumes: str | None, name: str) -> MemoryLink:
        return MemoryLink(self, consumes, name)

    def put(self, queue: str, body: bytes, routing_key: str) -> None:
        """Put raw bytes on a queue, as anybody with a broker's password could."""
        with self.changed:
            self.queues[queue].append(Delivery(body, routing_key, False, next(self.tags), queue))
            self.changed.notify_all()

    def depth(self, queue: str) -> int:
        return len(self.queues[queue])


class MemoryLink:
    """A `Link` (broker.py) to a MemoryBroker; never down between `start` and `close`."""

    def __init__(self, broker: MemoryBroker, consumes: str | None, name: str) -> None:
        self.broker = broker
        self.consumes = consumes
        self.name = name
        self.connected = False
        self.trouble: str | None = "not started"
        self.connections = 0
        self._unacknowledged: dict[int, Delivery] = {}
        self._woken = False

    def start(self) -> None:
        self.connected, self.trouble = True, None
        self.connections += 1

    def take(self, most: int, wait: float) -> list[Delivery]:
        with self.broker.changed:
            self.broker.changed.wait_for(lambda: self._woken or self._waiting(), wait)
            self._woken = False
            queue = self._waiting()
            taken = [queue.popleft() for _ in range(min(most, len(queue)))]
            self._unacknowledged.update((delivery.tag, delivery) for delivery in taken)
        return taken

    def _waiting(self) -> deque[Delivery]:
        if self.consumes is None or not self.connected:
            return deque()
        return self.broker.queues[self.consumes]

    def wake(self) -> None:
        with self.broker.changed:
            self._woken = True
            self.broker.changed.notify_all()

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        if not self.connected:
            return set()
        routed = [(parcel, route(parcel.exchange, parcel.routing_key)) for parcel in parcels]
        unroutable = [parcel.routing_key for parcel, queue in routed if queue is None]
        self.trouble = f"unroutable: {unroutable[0]}" if unroutable else None
        with self.broker.changed:
            for parcel, queue in routed:
                if queue is not None:
                    delivery = Delivery(parcel.body, parcel.routing_key, False, next(self.broker.tags), queue)
                    self.broker.queues[queue].append(delivery)
            self.broker.changed.notify_all()
        return {parcel.number for parcel, queue in routed if queue is not None}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        with self.broker.changed:
            for delivery in deliveries:
                self._unacknowledged.pop(delivery.tag, None)

    def close(self) -> None:
        with self.broker.changed:
            self.connected, self.trouble = False, "closed"
            for delivery in sorted(self._unacknowledged.values(), key=lambda each: each.tag, reverse=True):
                again = Delivery(delivery.body, delivery.routing_key, True, delivery.tag, delivery.queue)
                self.broker.queues[delivery.queue].appendleft(again)
            self._unacknowledged.clear()
            self.broker.changed.notify_all()

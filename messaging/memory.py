"""The in-process broker of `clerk up`: the same destinations, topics and queues as over RabbitMQ, kept in memory.

It loses everything when the process ends. That is allowed: outboxes and resends bring it all back (semantics M1, M4).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from threading import Condition

from domain.document import SERVICES
from messaging.broker import (
    COMMANDS_DESTINATION,
    DEAD_LETTER_DESTINATION,
    DEAD_LETTER_QUEUE,
    REPLIES_DESTINATION,
    REPLIES_QUEUE,
    Delivery,
    OutboundMessage,
    QueueState,
    commands_queue,
)


def route(destination: str, topic: str) -> str | None:
    """The queue that a message goes to, or None when there is none for it."""
    addressee = topic.split(".", 1)[0]
    if destination == COMMANDS_DESTINATION and addressee in SERVICES:
        return commands_queue(addressee)
    if destination == REPLIES_DESTINATION and addressee == "shop_manager":
        return REPLIES_QUEUE
    return DEAD_LETTER_QUEUE if destination == DEAD_LETTER_DESTINATION else None


class MemoryQueue:
    """One queue; whoever waits for it is woken alone."""

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque()
        self.changed = Condition()
        self.consumers = 0


class MemoryBroker:
    """Queues in memory; `transport` gives each participant its connection."""

    def __init__(self) -> None:
        self.queues = {
            queue: MemoryQueue() for queue in (*map(commands_queue, SERVICES), REPLIES_QUEUE, DEAD_LETTER_QUEUE)
        }
        self._receipts = count(1)

    def transport(self, consumes: str | None, user: str) -> MemoryTransport:
        """The connection of a participant that is logged in as `user`; here a service's user is named as itself."""
        return MemoryTransport(self, consumes, user)

    def put(self, queue: str, body: bytes, topic: str, sender: str | None = None) -> None:
        """Put raw bytes on a queue, sent by this user, or by one who names none."""
        waiting = self.queues[queue]
        with waiting.changed:
            waiting.deliveries.append(Delivery(body, topic, False, next(self._receipts), queue, sender))
            waiting.changed.notify()

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """Unacknowledged deliveries return to the head of their queue, marked as redelivered."""
        for delivery in sorted(deliveries, key=lambda each: each.receipt, reverse=True):
            waiting = self.queues[delivery.queue]
            with waiting.changed:
                waiting.deliveries.appendleft(replace(delivery, redelivered=True))
                waiting.changed.notify()

    def depth(self, queue: str) -> int:
        return len(self.queues[queue].deliveries)


class MemoryTransport:
    """A `Transport` (broker.py) to a MemoryBroker; never down between `start` and `close`."""

    def __init__(self, broker: MemoryBroker, consumes: str | None, user: str) -> None:
        self.broker = broker
        self.consumes = consumes
        self.user = user
        self.connected = False
        self.trouble: str | None = "not started"
        self.connections = 0
        self._queue = broker.queues[consumes] if consumes else MemoryQueue()
        self._unacknowledged: dict[int, Delivery] = {}
        self._woken = False

    def start(self) -> None:
        self.connected, self.trouble = True, None
        self.connections += 1
        self._queue.consumers += 1

    def take(self, most: int, wait: float) -> list[Delivery]:
        queue = self._queue
        with queue.changed:
            queue.changed.wait_for(lambda: self._woken or (self.connected and queue.deliveries), wait)
            self._woken = False
            ready = min(most, len(queue.deliveries)) if self.connected else 0
            taken = [queue.deliveries.popleft() for _ in range(ready)]
            self._unacknowledged.update((delivery.receipt, delivery) for delivery in taken)
        return taken

    def wake(self) -> None:
        with self._queue.changed:
            self._woken = True
            self._queue.changed.notify_all()

    def publish(self, outbound: Sequence[OutboundMessage], limit: float = 10.0) -> set[int]:
        if not self.connected:
            return set()
        routed = [(message, route(message.destination, message.topic)) for message in outbound]
        unroutable = [message.topic for message, queue in routed if queue is None]
        self.trouble = f"unroutable: {unroutable[0]}" if unroutable else None
        for message, queue in routed:
            if queue is not None:
                self.broker.put(queue, message.body, message.topic, self.user)
        return {message.number for message, queue in routed if queue is not None}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        with self._queue.changed:
            for delivery in deliveries:
                self._unacknowledged.pop(delivery.receipt, None)

    def queue_state(self) -> QueueState | None:
        if self.consumes is None:
            return None
        return QueueState(self.consumes, len(self._queue.deliveries), self._queue.consumers)

    def close(self) -> None:
        self.wake()
        with self._queue.changed:
            self._queue.consumers -= self.connected
            self.connected, self.trouble = False, "closed"
            left = list(self._unacknowledged.values())
            self._unacknowledged.clear()
        self.broker.put_back(left)

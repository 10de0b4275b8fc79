"""The simulated broker: a `Transport` (messaging/broker.py) whose messages come late, twice, out of order, or never.

It never waits and has no threads. Without faults it does what RabbitMQ does: the contract tests of messaging hold it
to that (messaging/tests/test_transport_contract.py).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Protocol

from domain.document import SERVICES
from messaging.broker import DEAD_LETTER_QUEUE, REPLIES_QUEUE, Delivery, OutboundMessage, commands_queue
from messaging.memory import route
from simulation.injection_points import Crash

CONNECTION_CUT = "the connection was cut"


class MessageCarrier(Protocol):
    """What happens to messages on their way, and what goes wrong at a transport (see FaultyCarrier)."""

    def copies(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        """(delay in ms, body) of every copy that arrives."""
        ...

    def reached(self, participant: str, point: str) -> str | None: ...

    def taken(self, participant: str, deliveries: Sequence[Delivery]) -> None: ...

    def acknowledged(self, participant: str, deliveries: Sequence[Delivery]) -> None: ...


class ReliableCarrier:
    """Everything arrives at once and once, as it was sent."""

    def copies(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        return [(0, body)]

    def reached(self, participant: str, point: str) -> str | None:
        return None

    def taken(self, participant: str, deliveries: Sequence[Delivery]) -> None:
        """Nobody observes it."""

    def acknowledged(self, participant: str, deliveries: Sequence[Delivery]) -> None:
        """Nobody observes it."""


class SimulatedBroker:
    """Queues of (moment in ms at which it is due, receipt, delivery)."""

    def __init__(self, clock: Callable[[], int] = lambda: 0, carrier: MessageCarrier | None = None) -> None:
        self.clock = clock
        self.carrier: MessageCarrier = carrier or ReliableCarrier()
        self.queues: dict[str, list[tuple[int, int, Delivery]]] = {
            queue: [] for queue in (*map(commands_queue, SERVICES), REPLIES_QUEUE, DEAD_LETTER_QUEUE)
        }
        self.receipts = count(1)

    def transport(self, consumes: str | None, name: str) -> SimulatedTransport:
        return SimulatedTransport(self, consumes, name)

    def put(self, queue: str, body: bytes, routing_key: str, sender: str | None, delay: int = 0) -> None:
        receipt = next(self.receipts)
        delivery = Delivery(body, routing_key, False, receipt, queue, sender)
        heapq.heappush(self.queues[queue], (self.clock() + delay, receipt, delivery))

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """What was taken and not acknowledged is delivered again, marked as redelivered."""
        for delivery in deliveries:
            redelivery = replace(delivery, redelivered=True)
            heapq.heappush(self.queues[delivery.queue], (self.clock(), delivery.receipt, redelivery))

    def next_due(self, queue: str) -> int | None:
        waiting = self.queues[queue]
        return waiting[0][0] if waiting else None


class SimulatedTransport:
    """One participant's connection. `start` makes it, also again after `cut` broke it.

    The user as whom `shop_manager-2` is logged in is its service, `shop_manager`.
    """

    def __init__(self, broker: SimulatedBroker, consumes: str | None, name: str) -> None:
        self.broker = broker
        self.consumes = consumes
        self.name = name
        self.user = name.partition("-")[0]
        self.connected = False
        self.trouble: str | None = "not started"
        self.connections = 0
        self._unacknowledged: dict[int, Delivery] = {}
        self.on_cut: Callable[[], None] = lambda: None

    def start(self) -> None:
        self.connected, self.trouble = True, None
        self.connections += 1

    def take(self, most: int, wait: float) -> list[Delivery]:
        waiting = self.broker.queues[self.consumes] if self.consumes else []
        taken: list[Delivery] = []
        while self.connected and waiting and waiting[0][0] <= self.broker.clock() and len(taken) < most:
            taken.append(heapq.heappop(waiting)[2])
        self._unacknowledged.update((delivery.receipt, delivery) for delivery in taken)
        self.broker.carrier.taken(self.name, taken)
        return taken

    def wake(self) -> None:
        """There is nobody to wake: nobody waits in a simulation."""

    def publish(self, outbound: Sequence[OutboundMessage], limit: float = 10.0) -> set[int]:
        if not self.connected or not outbound:
            return set()
        fault = self.broker.carrier.reached(self.name, "publish")
        if fault == "cut":
            self.cut()
        if fault in ("cut", "unsent"):
            return set()
        confirmed = self._send(outbound[: len(outbound) // 2] if fault == "half" else outbound)
        if fault == "half":
            raise Crash(f"{self.name} after half of a publish")
        self.broker.carrier.reached(self.name, "published")
        return set() if fault == "unconfirmed" else confirmed

    def _send(self, outbound: Sequence[OutboundMessage]) -> set[int]:
        routed = [(message, route(message.destination, message.topic)) for message in outbound]
        unroutable = [message.topic for message, queue in routed if queue is None]
        self.trouble = f"unroutable: {unroutable[0]}" if unroutable else None
        for message, queue in routed:
            for delay, body in self.broker.carrier.copies(queue, message.body) if queue else ():
                self.broker.put(queue or "", body, message.topic, self.user, delay)
        return {message.number for message, queue in routed if queue}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        known = [delivery for delivery in deliveries if delivery.receipt in self._unacknowledged]
        if not known:
            return
        if self.broker.carrier.reached(self.name, "acknowledge") == "cut":
            self.cut()
            return
        for delivery in known:
            del self._unacknowledged[delivery.receipt]
        self.broker.carrier.acknowledged(self.name, known)
        self.broker.carrier.reached(self.name, "acknowledged")

    def cut(self) -> None:
        """The connection breaks: the receipts are void, what was not acknowledged goes back."""
        self.connected, self.trouble = False, CONNECTION_CUT
        self.broker.put_back(list(self._unacknowledged.values()))
        self._unacknowledged.clear()
        self.on_cut()

    def close(self) -> None:
        self.on_cut = lambda: None
        self.cut()
        self.trouble = "closed"

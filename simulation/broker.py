"""The simulated broker: a `Link` (messaging/broker.py) whose messages come late, twice, out of order, or not at all.

It never waits and has no threads. Without ports it is a well-behaved broker, which the contract tests hold it to.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Protocol

from domain.document import SERVICES
from messaging.broker import DEAD_QUEUE, REPLIES_QUEUE, Delivery, Parcel, commands_queue
from messaging.memory import route
from simulation.ports import Crash

AWAY = "the connection was cut"


class Carrier(Protocol):
    """How messages travel, and what goes wrong at a link's ports; world.py has it."""

    def travels(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        """(delay in ms, body) of every copy that arrives."""
        ...

    def reached(self, link: str, port: str) -> str | None: ...

    def taken(self, link: str, deliveries: Sequence[Delivery]) -> None: ...

    def acknowledged(self, link: str, deliveries: Sequence[Delivery]) -> None: ...


class Reliable:
    """Everything arrives at once, as it was sent."""

    def travels(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        return [(0, body)]

    def reached(self, link: str, port: str) -> str | None:
        return None

    def taken(self, link: str, deliveries: Sequence[Delivery]) -> None:
        """Never mind."""

    def acknowledged(self, link: str, deliveries: Sequence[Delivery]) -> None:
        """Never mind."""


class SimulatedBroker:
    """Queues of (due, number, delivery). `clock` in ms."""

    def __init__(self, clock: Callable[[], int] = lambda: 0, carrier: Carrier | None = None) -> None:
        self.clock = clock
        self.carrier: Carrier = carrier or Reliable()
        self.queues: dict[str, list[tuple[int, int, Delivery]]] = {
            queue: [] for queue in (*map(commands_queue, SERVICES), REPLIES_QUEUE, DEAD_QUEUE)
        }
        self.tags = count(1)

    def link(self, consumes: str | None, name: str) -> SimulatedLink:
        return SimulatedLink(self, consumes, name)

    def put(self, queue: str, body: bytes, routing_key: str, delay: int = 0) -> None:
        number = next(self.tags)
        delivery = Delivery(body, routing_key, False, number, queue)
        heapq.heappush(self.queues[queue], (self.clock() + delay, number, delivery))

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """What was taken and not acknowledged comes again, and says so."""
        for delivery in deliveries:
            again = replace(delivery, redelivered=True)
            heapq.heappush(self.queues[delivery.queue], (self.clock(), delivery.tag, again))

    def next_due(self, queue: str) -> int | None:
        waiting = self.queues[queue]
        return waiting[0][0] if waiting else None


class SimulatedLink:
    """One participant's connection. `cut` breaks it, `start` brings it (back)."""

    def __init__(self, broker: SimulatedBroker, consumes: str | None, name: str) -> None:
        self.broker = broker
        self.consumes = consumes
        self.name = name
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
        self._unacknowledged.update((delivery.tag, delivery) for delivery in taken)
        self.broker.carrier.taken(self.name, taken)
        return taken

    def wake(self) -> None:
        """Nobody waits in a simulation."""

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        if not self.connected or not parcels:
            return set()
        fault = self.broker.carrier.reached(self.name, "publish")
        if fault == "cut":
            self.cut()
        if fault in ("cut", "unsent"):
            return set()
        confirmed = self._send(parcels[: len(parcels) // 2] if fault == "half" else parcels)
        if fault == "half":
            raise Crash(f"{self.name} after half of a publish")
        self.broker.carrier.reached(self.name, "published")
        return set() if fault == "unconfirmed" else confirmed

    def _send(self, parcels: Sequence[Parcel]) -> set[int]:
        routed = [(parcel, route(parcel.exchange, parcel.routing_key)) for parcel in parcels]
        unroutable = [parcel.routing_key for parcel, queue in routed if queue is None]
        self.trouble = f"unroutable: {unroutable[0]}" if unroutable else None
        for parcel, queue in routed:
            for delay, body in self.broker.carrier.travels(queue, parcel.body) if queue else ():
                self.broker.put(queue or "", body, parcel.routing_key, delay)
        return {parcel.number for parcel, queue in routed if queue}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        meant = [delivery for delivery in deliveries if delivery.tag in self._unacknowledged]
        if not meant:
            return
        if self.broker.carrier.reached(self.name, "acknowledge") == "cut":
            self.cut()
            return
        for delivery in meant:
            del self._unacknowledged[delivery.tag]
        self.broker.carrier.acknowledged(self.name, meant)
        self.broker.carrier.reached(self.name, "acknowledged")

    def cut(self) -> None:
        """The connection breaks: the tags are void, what was not acknowledged goes back."""
        self.connected, self.trouble = False, AWAY
        self.broker.put_back(list(self._unacknowledged.values()))
        self._unacknowledged.clear()
        self.on_cut()

    def close(self) -> None:
        self.on_cut = lambda: None
        self.cut()
        self.trouble = "closed"

"""Drives the in-process broker: its transports can be cut, and all deliveries pass through `Traffic`."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Lock

from messaging.broker import Delivery, OutboundMessage
from messaging.memory import MemoryBroker, MemoryTransport, route
from scenario_tests.traffic import InTransit, Traffic


class MemoryDriver:
    """A MemoryBroker and the transports to it. `forward` puts a delivery on its queue without asking `traffic`."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.traffic = Traffic(self.forward)
        self.transports: list[CuttableTransport] = []

    def transport(self, consumes: str | None, service: str, name: str) -> CuttableTransport:
        """The connection of the participant `name`, a process of the service; it may have several."""
        self.transports.append(CuttableTransport(self, self.broker.transport(consumes, service), name))
        return self.transports[-1]

    def cut(self, participant: str | None = None) -> None:
        """Cut the participant's connection (None: all). It may finish what it has taken, but not send."""
        for transport in self._transports_of(participant):
            transport.cut()

    def mend(self, participant: str | None = None) -> None:
        for transport in self._transports_of(participant):
            transport.mend()

    def _transports_of(self, participant: str | None) -> list[CuttableTransport]:
        return [transport for transport in self.transports if participant in (None, transport.participant)]

    def forward(self, delivery: InTransit) -> None:
        queue = route(delivery.destination, delivery.topic)
        if queue is not None:
            self.broker.put(queue, delivery.body, delivery.topic, delivery.sender)


class CuttableTransport:
    """A `Transport` (messaging/broker.py) around a MemoryTransport: not connected while it is cut."""

    def __init__(self, driver: MemoryDriver, inner: MemoryTransport, participant: str) -> None:
        self.participant = participant
        self._driver = driver
        self._inner = inner
        self._cut = False
        self._mended = Event()
        self._mended.set()
        self._mendings = 0
        self._taking = Lock()

    def cut(self) -> None:
        self._cut = True
        self._mended.clear()
        self._inner.wake()
        with self._taking:  # whoever was taking has returned: from here on nothing is taken
            pass

    def mend(self) -> None:
        if self._cut:
            self._mendings += 1
            self._cut = False
            self._mended.set()

    @property
    def connected(self) -> bool:
        return not self._cut and self._inner.connected

    @property
    def trouble(self) -> str | None:
        return "the connection is cut" if self._cut else self._inner.trouble

    @property
    def connections(self) -> int:
        return self._inner.connections + self._mendings

    def start(self) -> None:
        self._inner.start()

    def take(self, most: int, wait: float) -> list[Delivery]:
        with self._taking:
            if not self._cut:
                return self._inner.take(most, wait)
        self._mended.wait(min(wait, 0.1))
        return []

    def wake(self) -> None:
        self._inner.wake()

    def publish(self, outbound: Sequence[OutboundMessage], limit: float = 10.0) -> set[int]:
        if not self.connected:
            return set()
        return {number for message in outbound for number in self._publish(message, limit)}

    def _publish(self, message: OutboundMessage, limit: float) -> set[int]:
        delivery = InTransit(message.destination, message.topic, message.body, self._inner.user)
        if route(delivery.destination, delivery.topic) is None:
            return self._inner.publish([message], limit)
        for each in self._driver.traffic.pass_on(delivery):
            self._driver.forward(each)
        return {message.number}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._inner.acknowledge(deliveries)

    def close(self) -> None:
        self._inner.close()

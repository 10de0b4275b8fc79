"""A hand on the in-process broker: links that can be cut, and whose deliveries pass through `Traffic`."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Lock

from messaging.broker import Delivery, Parcel
from messaging.memory import MemoryBroker, MemoryLink, route
from scenario_tests.traffic import Freight, Traffic


class MemoryHand:
    """Puts deliveries on the queues of a MemoryBroker, past all faults."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.traffic = Traffic(self.forward)
        self.links: list[HandledLink] = []

    def link(self, consumes: str | None, name: str) -> HandledLink:
        """The connection of the participant `name`; it may have several."""
        self.links.append(HandledLink(self, self.broker.link(consumes, name), name))
        return self.links[-1]

    def cut(self, participant: str | None = None) -> None:
        """Cut the participant's line (None: everybody's). What it has in hand it may finish, but not send."""
        for link in self._links_of(participant):
            link.cut()

    def mend(self, participant: str | None = None) -> None:
        for link in self._links_of(participant):
            link.mend()

    def _links_of(self, participant: str | None) -> list[HandledLink]:
        return [link for link in self.links if participant in (None, link.participant)]

    def forward(self, freight: Freight) -> None:
        queue = route(freight.exchange, freight.routing_key)
        if queue is not None:
            self.broker.put(queue, freight.body, freight.routing_key)


class HandledLink:
    """A `Link` (messaging/broker.py): a MemoryLink that is dead while it is cut."""

    def __init__(self, hand: MemoryHand, inner: MemoryLink, participant: str) -> None:
        self.participant = participant
        self._hand = hand
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
        return "the line is cut" if self._cut else self._inner.trouble

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

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        if not self.connected:
            return set()
        return {number for parcel in parcels for number in self._publish(parcel, limit)}

    def _publish(self, parcel: Parcel, limit: float) -> set[int]:
        freight = Freight(parcel.exchange, parcel.routing_key, parcel.body)
        if route(freight.exchange, freight.routing_key) is None:
            return self._inner.publish([parcel], limit)
        for each in self._hand.traffic.pass_on(freight):
            self._hand.forward(each)
        return {parcel.number}

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._inner.acknowledge(deliveries)

    def close(self) -> None:
        self._inner.close()

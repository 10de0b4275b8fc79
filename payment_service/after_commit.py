"""A broker link that tells when a round of the worker is over: its transactions are committed, its messages sent.

The worker acknowledges at the end of every round; that is the moment when new calls may go to the provider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from messaging.broker import Delivery, Link, Parcel


class AfterCommit:
    """The `Link` it is given, and `committed` is called with every acknowledgement, in the worker's thread."""

    def __init__(self, link: Link, committed: Callable[[], None]) -> None:
        self._link = link
        self._committed = committed

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def trouble(self) -> str | None:
        return self._link.trouble

    @property
    def connections(self) -> int:
        return self._link.connections

    def start(self) -> None:
        self._link.start()

    def take(self, most: int, wait: float) -> list[Delivery]:
        return self._link.take(most, wait)

    def wake(self) -> None:
        self._link.wake()

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        return self._link.publish(parcels, limit)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._committed()
        self._link.acknowledge(deliveries)

    def close(self) -> None:
        self._link.close()

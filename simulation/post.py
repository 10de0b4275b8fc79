"""How messages travel in a simulated world, and what becomes of them on their way: the `Carrier` of the broker."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from messaging.broker import Delivery
from simulation.travel import edited

if TYPE_CHECKING:
    from simulation.world import World


class Post:
    """One world's carrier."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = count()

    def travels(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        """(delay in ms, body) of every copy that arrives."""
        fault = self._world.ports.look(queue, "message")
        self._world.trace.sent(self._world.clock.now, queue, body, fault)
        about = f"{queue}/{next(self._numbers)}"
        first = self._world.pause(about, 1, 15)
        if fault == "lose" and b'"kind":"notice"' not in body:  # nobody asks for a notice again: `clerk repair` does
            return []
        if fault == "double":
            return [(first, body), (self._world.pause(f"{about}/again", 1, 30_000), body)]
        if fault == "late":
            return [(self._world.pause(f"{about}/late", 1_000, 30_000), body)]
        if fault == "hour_late":
            return [(3_600_000, body)]
        return [(first, edited(body) if fault == "foreign_edit" else body)]

    def reached(self, link: str, port: str) -> str | None:
        return self._world.ports.reached(link, port)

    def taken(self, link: str, deliveries: Sequence[Delivery]) -> None:
        self._world.watch.taken(link, deliveries)

    def acknowledged(self, link: str, deliveries: Sequence[Delivery]) -> None:
        self._world.watch.acknowledged(link, deliveries)

"""The simulated broker's `MessageCarrier` with faults: messages that come twice, late or never, or were edited."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import orjson

from domain.messages import SHOP_MANAGER
from messaging.broker import Delivery
from simulation.run_context import RunContext


class FaultyCarrier:
    """Delays every message by a few ms, and does to it what the run's fault plan says."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._numbers = count()

    def copies(self, queue: str, body: bytes) -> Sequence[tuple[int, bytes]]:
        """(delay in ms, body) of every copy that arrives."""
        context = self._context
        fault = context.points.look(queue, "message")
        context.trace.sent(context.clock.now, queue, body, fault)
        occasion = f"{queue}/{next(self._numbers)}"
        first = context.pause(occasion, 1, 15)
        if fault == "lose" and b'"kind":"notice"' not in body:  # nobody asks for a notice again: `clerk repair` does
            return []
        if fault == "double":
            return [(first, body), (context.pause(f"{occasion}/again", 1, 30_000), body)]
        if fault == "late":
            return [(context.pause(f"{occasion}/late", 1_000, 30_000), body)]
        if fault == "hour_late":
            return [(3_600_000, body)]
        return [(first, edited(body) if fault == "foreign_edit" else body)]

    def reached(self, participant: str, point: str) -> str | None:
        return self._context.points.reached(participant, point)

    def taken(self, participant: str, deliveries: Sequence[Delivery]) -> None:
        self._context.monitor.taken(participant, deliveries)

    def acknowledged(self, participant: str, deliveries: Sequence[Delivery]) -> None:
        self._context.monitor.acknowledged(participant, deliveries)


def edited(body: bytes) -> bytes:
    """The same replies, with the customer renamed and an unknown section added; commands stay as they are.

    Stands for a service that writes sections which it does not own (D1). ShopManager must ignore these edits.
    """
    messages = orjson.loads(body)
    for message in messages:
        document = message.get("document")
        if message.get("kind") == "reply" and document:
            document["customer"] = {**document.get("customer", {}), "name": "Mallory"}
            document["scribble"] = {"by": f"not {SHOP_MANAGER}"}
    return orjson.dumps(messages)

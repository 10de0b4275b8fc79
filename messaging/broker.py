"""The broker port: all that the worker and the outbox know of a broker.

Two implementations serve production: `memory.py` (in-process, for `clerk up`) and `rabbitmq.py` (the only file that
imports pika). One contract test suite runs against each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

DEAD_QUEUE = "clerk.dead.v1"
"""Where the broker itself puts what it gives up on; ShopManager parks what arrives there."""


def commands_queue(service: str) -> str:
    """The queue of one service's commands, e.g. `shop.commands.v1` (processes.md, Messages)."""
    return f"{service}.commands.v1"


REPLIES_QUEUE = "shop_manager.replies.v1"
COMMANDS_EXCHANGE = "clerk.commands"
REPLIES_EXCHANGE = "clerk.replies"
DEAD_EXCHANGE = "clerk.dead"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One AMQP delivery on its way out: a packed list of messages for one routing key.

    `number` is the outbox row's id; `body` the UTF-8 JSON list.
    """

    number: int
    exchange: str
    routing_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One AMQP delivery that arrived and is not yet acknowledged.

    `redelivered` says that somebody may have taken it before and not come back (semantics B2). `tag` is the
    broker's own handle: opaque, void after a reconnect, and acknowledging a void one does nothing.
    """

    body: bytes
    routing_key: str
    redelivered: bool
    tag: Any
    queue: str = ""


class Link(Protocol):
    """One participant's connection to the broker. All methods may be called from any thread.

    A link re-establishes itself after any interruption, with jittered back-off; while it is down `take` returns
    nothing, `publish` confirms nothing and `acknowledge` does nothing. None of them raises for a broker's absence.
    """

    @property
    def connected(self) -> bool:
        """Is the connection up, topology declared, and the consumer subscribed?"""
        ...

    @property
    def trouble(self) -> str | None:
        """One clear line on why the link is not (fully) usable, e.g. `connection refused`; None when all is well."""
        ...

    @property
    def connections(self) -> int:
        """How many times a connection has been established so far: grows by one at each (re)connect."""
        ...

    def start(self) -> None:
        """Begin connecting, in the background; returns at once."""
        ...

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Up to `most` deliveries that are waiting; blocks up to `wait` seconds for the first, or until `wake`."""
        ...

    def wake(self) -> None:
        """Make a blocked (or else the next) `take` return early: there is other work."""
        ...

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        """Send all of them persistent and mandatory, confirms pipelined; wait at most `limit` seconds in total.

        Returns the numbers of those that the broker confirmed. Whatever is missing (returned as unroutable, refused,
        unconfirmed, link down) is still unsent, and `trouble` says why (semantics M7).
        """
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """The effect of these is committed: the broker may forget them."""
        ...

    def close(self) -> None:
        """Stop for good: return what is unacknowledged to the queue, close the connection, end own threads."""
        ...

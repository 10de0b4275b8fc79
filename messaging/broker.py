"""The broker port: all that the worker and the outbox know of a message broker, without naming one.

Two implementations serve production: `memory.py` (in this process, for `clerk up`) and `rabbitmq/transport.py`.
One contract test suite runs against each of them (tests/test_transport_contract.py).

A message goes to a *destination* (`clerk.commands`) under a *topic* (`risk.ReserveCredit.v1`); the topic's first part
names the addressee, and the broker puts the message into that addressee's queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

COMMANDS_DESTINATION = "clerk.commands"
REPLIES_DESTINATION = "clerk.replies"
DEAD_LETTER_DESTINATION = "clerk.dead"

REPLIES_QUEUE = "shop_manager.replies.v1"
DEAD_LETTER_QUEUE = "clerk.dead.v1"
"""Where the broker itself puts what it gives up on; ShopManager parks what arrives there."""


BLOCKED = "broker blocked"
"""So begins a transport's `trouble` while the broker takes no messages: its memory or its disk is short."""


def commands_queue(service: str) -> str:
    """The queue of one service's commands, e.g. `shop.commands.v1` (docs/design/processes.md)."""
    return f"{service}.commands.v1"


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A broker's message on its way out. `body` is a pack: the UTF-8 JSON list of our messages with the same topic.

    `number` is the id of its row in the outbox.
    """

    number: int
    destination: str
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A broker's message that arrived and is not yet acknowledged.

    `redelivered` says that somebody may have taken it before and not come back (semantics B2). `receipt` is what the
    transport acknowledges it by: opaque, void after a reconnect, and acknowledging a void one does nothing.
    `sender` is the user of the broker who sent it, for whom the broker vouches; None when the message names none.
    """

    body: bytes
    topic: str
    redelivered: bool
    receipt: Any
    queue: str = ""
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class QueueState:
    """How a queue is: deliveries that wait for a consumer, and how many consumers there are."""

    queue: str
    waiting: int
    consumers: int


@runtime_checkable
class TellsOfItsQueue(Protocol):
    """A transport that can find out how the queue is that it consumes, for the monitoring."""

    def queue_state(self) -> QueueState | None:
        """How it is now; None where there is none, or the broker does not say it within a moment."""
        ...


class Transport(Protocol):
    """One participant's connection to the broker. All methods may be called from any thread.

    Each message that it publishes names the user as whom it is logged in (`Delivery.sender`).

    A transport connects again after any interruption, with jittered back-off; while it is down `take` returns
    nothing, `publish` confirms nothing and `acknowledge` does nothing. None of them raises because the broker is away.
    """

    @property
    def connected(self) -> bool:
        """Is the connection up and the consumer subscribed?"""
        ...

    @property
    def trouble(self) -> str | None:
        """One clear line on why the transport is not (fully) usable, e.g. `connection refused`; None: all is well."""
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

    def publish(self, outbound: Sequence[OutboundMessage], limit: float = 10.0) -> set[int]:
        """Send all of them, to be kept on disk, without waiting for one before sending the next.

        Waits at most `limit` seconds in total for the broker's confirms, and returns the numbers of those confirmed.
        Whatever is missing (no queue for it, refused, not confirmed in time, connection down) is still unsent, and
        `trouble` says why (semantics M7).
        """
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """The effect of these is committed: the broker may forget them."""
        ...

    def close(self) -> None:
        """Stop for good: return what is unacknowledged to the queue, close the connection, end own threads."""
        ...

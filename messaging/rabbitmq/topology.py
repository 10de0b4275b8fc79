"""What the broker must hold before anybody sends: exchanges, queues and their arguments, as data.

Declared by `clerk migrate`, with an account that may configure, or on every connect by a transport that `declares`.
Declaring is repeatable and takes nothing away (semantics B3). A destination of the broker port is a topic exchange
here, a topic a routing key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.document import SERVICES
from messaging.broker import (
    COMMANDS_DESTINATION,
    DEAD_LETTER_DESTINATION,
    DEAD_LETTER_QUEUE,
    REPLIES_DESTINATION,
    REPLIES_QUEUE,
    commands_queue,
)

EXCHANGES = (COMMANDS_DESTINATION, REPLIES_DESTINATION, DEAD_LETTER_DESTINATION)
"""All of them durable topic exchanges."""

DELIVERY_LIMIT = 200
"""Far above the tries a worker gives a bad message before it parks it itself: this is only the last net below."""

NEVER = 1_000_000
"""The dead-letter queue's delivery limit. Nothing stands behind it, and RabbitMQ 4 would drop after 20 deliveries."""

Arguments = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, bound to one exchange by one pattern."""

    name: str
    exchange: str
    pattern: str
    arguments: Arguments = field(default_factory=dict)


_WORK_ARGUMENTS: Arguments = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DELIVERY_LIMIT,
    "x-dead-letter-exchange": DEAD_LETTER_DESTINATION,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",  # at-least-once dead lettering needs it
}

QUEUES = (
    # First, so that there is no moment at which a dead letter has no queue to go to.
    Queue(DEAD_LETTER_QUEUE, DEAD_LETTER_DESTINATION, "#", {"x-queue-type": "quorum", "x-delivery-limit": NEVER}),
    *(Queue(commands_queue(service), COMMANDS_DESTINATION, f"{service}.#", _WORK_ARGUMENTS) for service in SERVICES),
    Queue(REPLIES_QUEUE, REPLIES_DESTINATION, "shop_manager.#", _WORK_ARGUMENTS),
)


def declare(channel: Any) -> None:
    """Ask a pika channel for all of it, in order."""
    for exchange in EXCHANGES:
        channel.exchange_declare(exchange, "topic", durable=True, callback=in_order)
    for queue in QUEUES:
        channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments), callback=in_order)
        channel.queue_bind(queue.name, queue.exchange, routing_key=queue.pattern, callback=in_order)


def in_order(_answer: Any) -> None:
    """Does nothing, but given as a callback it makes pika wait for the answer; without one it would send `nowait`."""

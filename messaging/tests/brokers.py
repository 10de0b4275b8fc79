"""What tests of transports need of a broker: transports, empty queues, and waiting for a state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any, Protocol, TypeVar

import pika
import pytest

from messaging.broker import COMMANDS_DESTINATION, Delivery, OutboundMessage, Transport
from messaging.rabbitmq.topology import QUEUES
from messaging.rabbitmq.transport import RabbitTransport

L = TypeVar("L", bound=Transport)
LIMIT = 20.0
"""Seconds after which a state that should have come never will."""


class Broker(Protocol):
    def transport(self, consumes: str | None, name: str) -> Transport: ...


class Rabbit:
    """Transports to the RabbitMQ at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def transport(self, consumes: str | None, name: str) -> RabbitTransport:
        return RabbitTransport(self.url, consumes=consumes, name=name)


def broker_url() -> str:
    """Of the RabbitMQ to test with. Without one the test is skipped on a laptop, and fails where CI=true."""
    url = os.environ.get("CLERK_TEST_BROKER_URL")
    if url:
        return url
    reason = "no RabbitMQ to test with: CLERK_TEST_BROKER_URL is not set"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def channel(url: str) -> Iterator[Any]:
    """A plain pika channel, to look past the transport."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def without_queues(url: str) -> str:
    """The same URL, after our queues were deleted there: the test starts with empty ones."""
    with channel(url) as plain:
        for queue in QUEUES:
            plain.queue_delete(queue.name)
    return url


def eventually(condition: Callable[[], Any], what: str) -> None:
    """Wait for a state, with a limit."""
    until, pause = monotonic() + LIMIT, Event()
    while not condition():
        if monotonic() > until:
            pytest.fail(f"not within {LIMIT:g} s: {what}")
        pause.wait(0.01)


def connected(transport: L) -> L:
    """The transport, started, and waited for."""
    transport.start()
    eventually(lambda: transport.connected, f"connected; trouble: {transport.trouble}")
    return transport


def take(transport: Transport, count: int) -> list[Delivery]:
    """`count` deliveries, however many takes they need."""
    taken: list[Delivery] = []
    until = monotonic() + LIMIT
    while len(taken) < count and monotonic() < until:
        taken += transport.take(count - len(taken), 0.5)
    assert len(taken) == count, f"{len(taken)} of {count} deliveries came; trouble: {transport.trouble}"
    return taken


def outbound_messages(count: int, topic: str = "shop.StartShopping.v1", first: int = 1) -> list[OutboundMessage]:
    return [
        OutboundMessage(number, COMMANDS_DESTINATION, topic, f"[{number}]".encode())
        for number in range(first, first + count)
    ]

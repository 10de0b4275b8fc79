"""What link tests need of a broker: links that are closed afterwards, empty queues, waiting for states."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any, Protocol, TypeVar

import pika
import pytest

from messaging.broker import COMMANDS_EXCHANGE, Delivery, Link, Parcel
from messaging.rabbitmq import RabbitLink
from messaging.topology import QUEUES

L = TypeVar("L", bound=Link)
LIMIT = 20.0
"""Seconds after which a state that should have come never will."""


class Broker(Protocol):
    def link(self, consumes: str | None, name: str) -> Link: ...


class Rabbit:
    """Links to the RabbitMQ at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def link(self, consumes: str | None, name: str) -> RabbitLink:
        return RabbitLink(self.url, consumes=consumes, name=name)


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
    """A plain pika channel, to look behind the link's back."""
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


def connected(link: L) -> L:
    """The link, started, and waited for."""
    link.start()
    eventually(lambda: link.connected, f"connected; trouble: {link.trouble}")
    return link


def take(link: Link, count: int) -> list[Delivery]:
    """`count` deliveries, however many takes they need."""
    taken: list[Delivery] = []
    until = monotonic() + LIMIT
    while len(taken) < count and monotonic() < until:
        taken += link.take(count - len(taken), 0.5)
    assert len(taken) == count, f"{len(taken)} of {count} deliveries came; trouble: {link.trouble}"
    return taken


def parcels(count: int, routing_key: str = "shop.StartShopping.v1", first: int = 1) -> list[Parcel]:
    return [
        Parcel(number, COMMANDS_EXCHANGE, routing_key, f"[{number}]".encode()) for number in range(first, first + count)
    ]

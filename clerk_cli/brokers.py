"""Connections to the broker: the one in this process's memory, or a RabbitMQ."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from clerk_cli.assembly import Connect
from clerk_cli.errors import Trouble
from messaging.amqp_url import check_amqp_url, place
from messaging.broker import Link
from messaging.memory import MemoryBroker

REACHED_WITHIN = 3.0
"""Seconds."""


def in_memory() -> Connect:
    """A broker of this process's own."""
    broker = MemoryBroker()

    def connect(queue: str, name: str) -> Link:
        return broker.link(queue, name)

    return connect


def rabbitmq(url: str, *, declares: bool = True) -> Connect:
    """The RabbitMQ at this URL; Trouble when the URL names none. Nothing connects yet."""
    from messaging.rabbitmq import RabbitLink  # noqa: PLC0415  # pika is not needed by `clerk up` on its own broker

    check_broker_url(url)

    def connect(queue: str, name: str) -> Link:
        try:
            return RabbitLink(url, consumes=queue, name=name, declares=declares)
        except ValueError as error:
            raise Trouble(str(error)) from None

    return connect


def check_broker_url(url: str) -> None:
    """Raises Trouble when the URL names no RabbitMQ."""
    try:
        check_amqp_url(url)
    except ValueError as error:
        raise Trouble(str(error)) from None


def check_reachable(url: str) -> None:
    """Raises Trouble when nobody listens where the (checked) URL leads: `clerk up` does not wait for a broker."""
    parts = urlsplit(url)
    port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
    try:
        socket.create_connection((parts.hostname or "", port), REACHED_WITHIN).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Trouble(f"the broker at {place(url)} cannot be reached: {reason}") from None

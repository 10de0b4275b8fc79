"""Connections to the broker: to the one in this process's memory, or to a RabbitMQ."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from clerk_cli.errors import CliError, value_errors_reported
from messaging.broker import Transport
from messaging.memory import MemoryBroker
from messaging.rabbitmq.url import check_amqp_url, place, user_in
from messaging.senders import Senders
from messaging.settings import ServiceSettings, senders_of

Connect = Callable[[str | None, str], Transport]
"""(queue to take from, None to send only; the service that does) → a transport that is not started yet."""
REACHED_WITHIN = 3.0
"""Seconds."""


def in_memory() -> Connect:
    """A new broker in this process's memory, where each service's user is named as itself."""
    broker = MemoryBroker()

    def connect(queue: str | None, service: str) -> Transport:
        return broker.transport(queue, service)

    return connect


def rabbitmq(url: str, *, declares: bool) -> Connect:
    """The RabbitMQ at this URL; raises CliError when it is no AMQP URL. Nothing connects yet.

    `declares`: each connection makes sure that all exchanges and queues are there, which its user must be allowed to.
    """
    from messaging.rabbitmq.transport import RabbitTransport  # noqa: PLC0415  # pika is not needed by `clerk up` on its own broker

    with value_errors_reported():
        check_amqp_url(url)

    def connect(queue: str | None, service: str) -> Transport:
        with value_errors_reported():  # the URL's query is read only now
            return RabbitTransport(url, consumes=queue, name=f"{service} {queue or 'sends'}", declares=declares)

    return connect


def own_rabbitmq(service: str, settings: ServiceSettings) -> Connect:
    """The RabbitMQ of a service's settings, on which it is logged in as itself, or as the user that all share.

    Raises CliError when its URL logs in as anybody else: whatever it says would be parked (S13).
    """
    url = settings.broker_url.get_secret_value()
    with value_errors_reported():
        check_amqp_url(url)
    user, own, shared = user_in(url), senders_of(settings).user_of(service), settings.broker_shared_user
    if user not in (own, shared):
        raise CliError(
            f"CLERK_BROKER_URL logs in as {user!r}, but the broker user of {service} is {own!r}: "
            "`clerk broker permissions` says what rights it needs; where all services are to share one user, and "
            f"whoever has its password may speak for each of them, say so with CLERK_BROKER_SHARED_USER={user}"
        )
    return rabbitmq(url, declares=user == shared)


def all_as_one(url: str) -> Senders:
    """Who may say what where all services are logged in as the one user of this (checked) URL."""
    return Senders(shared=user_in(url))


def check_reachable(url: str) -> None:
    """Raises CliError when nobody listens at the (checked) URL's address: `clerk up` does not wait for a broker."""
    parts = urlsplit(url)
    port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
    try:
        socket.create_connection((parts.hostname or "", port), REACHED_WITHIN).close()
    except (OSError, UnicodeError) as error:  # the latter is a host that can be none
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CliError(f"the broker at {place(url)} cannot be reached: {reason}") from None

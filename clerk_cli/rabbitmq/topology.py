"""Declares the exchanges, queues and bindings on RabbitMQ with an account that may: for `clerk migrate` (S13)."""

from __future__ import annotations

from threading import Event
from time import monotonic

from clerk_cli.errors import CliError, value_errors_reported
from messaging.broker import Transport
from messaging.rabbitmq.url import check_amqp_url, place

LIMIT = 30.0
"""Seconds for all of it."""
LOOK_EVERY = 0.02
CONNECTING = ("not started", "connecting")


def declare_topology(url: str) -> str:
    """Declare everything, which may be repeated and takes nothing away (B3); returns the place, without a password.

    CliError when the URL is wrong, or in the broker's words: it cannot be reached, a queue has other arguments.
    """
    from messaging.rabbitmq.transport import RabbitTransport  # noqa: PLC0415  # pika is not needed without a broker

    with value_errors_reported():
        check_amqp_url(url)
        transport = RabbitTransport(url, consumes=None, name="clerk migrate")
    transport.start()
    try:
        _wait_connected(transport, until=monotonic() + LIMIT)
    except TimeoutError as error:
        raise CliError(f"the broker at {place(url)}: {error}") from None
    finally:
        transport.close()
    return place(url)


def _wait_connected(transport: Transport, until: float) -> None:
    """TimeoutError with the trouble when the first attempt has failed, or takes too long."""
    pause = Event()
    while not transport.connected:
        trouble = transport.trouble
        if trouble not in (None, *CONNECTING) or monotonic() > until:
            raise TimeoutError(trouble)
        pause.wait(LOOK_EVERY)

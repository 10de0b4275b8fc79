"""The broker port over RabbitMQ: the only file of the product that imports pika.

One connection, in an I/O thread of its own, so that heartbeats are served while a worker is busy. Other threads reach
it through `add_callback_threadsafe` only. A `_Connection` is one connection's life; the transport opens the next one.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pika
import pika.exceptions
import structlog
from pika.adapters.select_connection import IOLoop

from messaging.broker import BLOCKED, Delivery, OutboundMessage, QueueState
from messaging.failpoints import reached
from messaging.rabbitmq.backoff import pause
from messaging.rabbitmq.confirms import PendingConfirms, PublishBatch, QueueRefusals
from messaging.rabbitmq.connection_options import ConnectionHooks, ConnectionOptions
from messaging.rabbitmq.deliveries import DeliveryBuffer, UnacknowledgedTags
from messaging.rabbitmq.errors import explain, one_line
from messaging.rabbitmq.forbidden import ForbiddenKeys, key_of
from messaging.rabbitmq.queue_look import QueueLook
from messaging.rabbitmq.tls import require_checks, without_files
from messaging.rabbitmq.topology import declare, in_order
from messaging.rabbitmq.url import check_amqp_url, place

__all__ = ["RabbitTransport", "check_amqp_url"]

STABLE_AFTER = 2.0
"""A connection that held this many seconds starts the back-off anew; one that breaks at once does not."""
CLOSING_LIMIT = 2.0
"""Seconds for the closing handshake; then the connection is just dropped."""
QUIET = 60.0
"""Seconds in which the same trouble is not logged again."""
REFUSED_LIMIT = 10.0
"""Seconds for which a queue may refuse what we publish before we come with a new channel (QueueRefusals)."""
_LONGEST_ROUTING_KEY = 255

_log = structlog.get_logger()


class RabbitTransport:
    """A `Transport` (broker.py) over RabbitMQ, 3.10 to 4.x.

    `consumes` is a queue's name, or None for a transport that only publishes; `prefetch` how many deliveries may be
    here unacknowledged. With `declares=False` nothing is declared: for users who may configure nothing (S13).
    Raises ValueError with one clear line for a URL that names no RabbitMQ.
    """

    def __init__(
        self,
        url: str,
        *,
        consumes: str | None,
        name: str,
        prefetch: int = 200,
        declares: bool = True,
    ) -> None:
        self._options = ConnectionOptions(_parameters(url, name), consumes, prefetch, declares)
        self._name = name
        self._log = _log.bind(link=name, broker=place(url))
        self._buffer = DeliveryBuffer()
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._generation = 0
        self._established = 0
        self._down = "not started"
        self._unsent: str | None = None
        self._forbidden = ForbiddenKeys()
        self._said: dict[str, float] = {}

    @property
    def connected(self) -> bool:
        connection = self._connection
        return connection is not None and connection.ready

    @property
    def trouble(self) -> str | None:
        connection = self._connection
        if connection is None or not connection.ready:
            return self._down
        return connection.blocked or self._unsent

    @property
    def connections(self) -> int:
        return self._established

    def queue_state(self) -> QueueState | None:
        connection = self._connection
        return connection.look() if connection is not None and connection.ready else None

    def start(self) -> None:
        with self._lock:
            if self._thread is not None or self._stopping.is_set():
                return
            _quieten_pika()
            self._down = "connecting"
            self._thread = threading.Thread(target=self._run, name=f"rabbitmq {self._name}", daemon=True)
            self._thread.start()

    def take(self, most: int, wait: float) -> list[Delivery]:
        return self._buffer.take(most, wait)

    def wake(self) -> None:
        self._buffer.wake()

    def publish(self, outbound: Sequence[OutboundMessage], limit: float = 10.0) -> set[int]:
        for message in outbound:
            if len(message.topic.encode()) > _LONGEST_ROUTING_KEY:
                raise ValueError(
                    f"message {message.number}: its routing key has more than {_LONGEST_ROUTING_KEY} bytes"
                )
        until = time.monotonic() + limit
        confirmed: set[int] = set()
        for portion in self._forbidden.portions(outbound, time.monotonic()):
            confirmed |= self._publish(portion, max(0.0, until - time.monotonic()))
        trouble = self._forbidden.trouble(outbound, time.monotonic())
        if trouble:
            self._note_unsent(trouble)
        return confirmed

    def _publish(self, outbound: Sequence[OutboundMessage], limit: float) -> set[int]:
        connection = self._connection
        batch = PublishBatch(outbound)
        # While the broker blocks us it does not read: what we would send now only grows our memory.
        if connection is None or connection.blocked or not connection.submit(batch):
            return set()
        batch.settled.wait(limit)
        if connection.ready:  # else the lost connection is the trouble
            self._note_unsent(batch.trouble())
        return batch.confirmed()

    def _note_unsent(self, trouble: str | None) -> None:
        self._unsent = trouble
        if trouble:
            self._warn("unsent", trouble)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        connection = self._connection
        if connection is not None:
            connection.acknowledge([one.receipt for one in deliveries])

    def close(self) -> None:
        with self._lock:
            self._stopping.set()
            connection, thread = self._connection, self._thread
        self._buffer.close()
        if connection is not None:
            connection.stop()
        if thread is not None and thread is not threading.current_thread():
            thread.join(2 * CLOSING_LIMIT)
        self._down = "closed"

    def _run(self) -> None:
        """The I/O thread: one connection after the other, until closed."""
        failures = 0
        while (connection := self._next_connection()) is not None:
            reason = connection.run()
            self._buffer.clear()
            if self._stopping.is_set():
                return
            self._down = reason
            self._warn(reason, reason)
            failures = 0 if connection.lasted > STABLE_AFTER else failures + 1
            chance = random.random()  # noqa: S311  spreads reconnects, protects nothing
            self._stopping.wait(pause(failures, chance, slow=connection.hopeless))

    def _next_connection(self) -> _Connection | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._generation += 1
            hooks = ConnectionHooks(self._buffer.put, self._on_ready, self._warn, self._forbidden)
            self._connection = _Connection(self._options, self._generation, hooks)
            return self._connection

    def _on_ready(self) -> None:
        self._established += 1
        self._unsent = None
        self._log.info("connected to the broker", connections=self._established)

    def _warn(self, kind: str, line: str) -> None:
        """Log a trouble, but not again and again while it stays the same."""
        now = time.monotonic()
        if now - self._said.get(kind, -QUIET) >= QUIET:
            self._said = {known: at for known, at in self._said.items() if now - at < QUIET} | {kind: now}
            self._log.warning("trouble with the broker", reason=line)


class _Connection:
    """One connection from the attempt to its end. All methods run in the I/O thread but where they say otherwise."""

    def __init__(self, options: ConnectionOptions, generation: int, hooks: ConnectionHooks) -> None:
        self.generation = generation
        self.ready = False
        self.blocked: str | None = None
        self.hopeless = False
        """Will the next attempt fail alike, until somebody repairs something?"""
        self.lasted = 0.0
        """Once it is over: how many seconds it was ready."""
        self._options = options
        self._hooks = hooks
        self._loop = IOLoop()
        self._pika: Any = None
        self.look = QueueLook(options.consumes, self._loop.add_callback_threadsafe, lambda: self._pika)
        self._channel: Any = None
        self._confirms = PendingConfirms()
        self._refusals = QueueRefusals(REFUSED_LIMIT)
        self._unacknowledged = UnacknowledgedTags()
        self._reason: str | None = None
        self._ready_at: float | None = None
        self._lock = threading.Lock()  # for the two below: whoever submits must not miss the end
        self._over = False
        self._submitted: list[PublishBatch] = []

    def submit(self, batch: PublishBatch) -> bool:
        """From any thread: publish this. False when it is not ready or over."""
        with self._lock:
            if self._over or not self.ready:
                return False
            self._submitted.append(batch)
        self._loop.add_callback_threadsafe(self._publish_submitted)
        return True

    def acknowledge(self, receipts: Sequence[tuple[int, int]]) -> None:
        """From any thread: those of `(generation, delivery tag)` that are of this connection; the others are void."""
        own = [number for generation, number in receipts if generation == self.generation]
        self._loop.add_callback_threadsafe(lambda: self._acknowledge(own))

    def stop(self) -> None:
        """From any thread: end it, after what was asked for before."""
        self._loop.add_callback_threadsafe(lambda: self._end("closed"))

    def run(self) -> str:
        """Connect and serve until the connection has ended; returns why, in one line."""
        try:
            self._pika = pika.SelectConnection(
                self._options.parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._closed,
                on_close_callback=self._closed,
                custom_ioloop=self._loop,
            )
            self._pika.add_on_connection_blocked_callback(self._block)
            self._pika.add_on_connection_unblocked_callback(self._unblock)
            self._loop.start()
        except Exception as error:  # whatever it is: the transport must not die of it, and its line names it
            self._reason = self._reason or explain(error)
        finally:
            self._finish()
        return self._reason or "connection lost"

    def _finish(self) -> None:
        with self._lock:
            self._over = True
            orphans, self._submitted = self._submitted, []
            self.ready = False
        if self._ready_at is not None:
            self.lasted = time.monotonic() - self._ready_at
        self._confirms.abandon()
        for batch in orphans:
            batch.settled.set()
        self._loop.close()

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._set_up)

    def _set_up(self, channel: Any) -> None:
        """Declare, switch confirms on, subscribe: pika sends each when the one before was answered.

        Who may not configure looks at nothing ahead: since RabbitMQ 4.2.6 a passive declaration asks for rights, too.
        """
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, error: self._channel_closed(error))
        channel.add_on_cancel_callback(lambda _frame: self._end("the broker cancelled our consumer"))
        channel.add_on_return_callback(self._returned)
        if self._options.declares:
            declare(channel)
        if self._options.consumes is None:
            channel.confirm_delivery(self._confirm, callback=self._become_ready)
        else:
            channel.confirm_delivery(self._confirm, callback=in_order)
            channel.basic_qos(prefetch_count=self._options.prefetch, callback=in_order)
            channel.basic_consume(self._options.consumes, self._deliver, callback=self._become_ready)

    def _become_ready(self, _frame: Any) -> None:
        if self._reason is None:
            self._ready_at = time.monotonic()
            self.ready = True
            self._hooks.on_ready()

    def _block(self, _connection: Any, frame: Any) -> None:
        self.blocked = f"{BLOCKED}: {one_line(frame.method.reason or 'it gives no reason')}"
        self._hooks.warn("blocked", self.blocked)

    def _unblock(self, _connection: Any, _frame: Any) -> None:
        self.blocked = None

    def _deliver(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        tag, queue = method.delivery_tag, self._options.consumes or ""
        self._unacknowledged.add(tag)
        receipt = (self.generation, tag)
        self._hooks.on_delivery(
            Delivery(body, method.routing_key, method.redelivered, receipt, queue, sender=properties.user_id)
        )

    def _acknowledge(self, tags: Sequence[int]) -> None:
        if self._channel is not None and self._channel.is_open:
            for tag, multiple in self._unacknowledged.acknowledge(tags):
                self._channel.basic_ack(tag, multiple=multiple)

    def _publish_submitted(self) -> None:
        with self._lock:
            batches, self._submitted = self._submitted, []
        for batch in batches:
            if self.blocked or not self._channel.is_open:
                batch.settled.set()
                continue
            for message in batch.outbound:
                self._publish(batch, message)

    def _publish(self, batch: PublishBatch, message: OutboundMessage) -> None:
        properties = pika.BasicProperties(
            content_type="application/json",
            delivery_mode=2,
            message_id=str(message.number),
            user_id=self._options.user,
        )
        self._channel.basic_publish(message.destination, message.topic, message.body, properties, mandatory=True)
        self._confirms.sent(batch, message)

    def _confirm(self, frame: Any) -> None:
        reached("published")
        answer = frame.method
        taken = isinstance(answer, pika.spec.Basic.Ack)
        settled = self._confirms.answered(answer.delivery_tag, multiple=answer.multiple, taken=taken)
        self._hooks.forbidden.taken(settled)
        if self._refusals.too_long(settled, taken=taken, now=time.monotonic()):
            self._end(f"a queue has refused us for {REFUSED_LIMIT:g} s (queue full?): trying over a new channel")

    def _returned(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        self._confirms.returned(int(properties.message_id), method.routing_key)

    def _channel_closed(self, error: BaseException) -> None:
        """A channel that the broker closed ends the connection: one way to come back, not two."""
        if not isinstance(error, pika.exceptions.ChannelClosedByClient):
            code = getattr(error, "reply_code", None)
            self.hopeless = not self.ready and code in (403, 406)
            if self.ready and code == 403:  # a consumer needs its right before we are ready: so we may not write
                self._hooks.forbidden.closed_with(map(key_of, self._confirms.open()), time.monotonic())
            self._end(explain(error))

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.ready = False
        if not (self._pika.is_closing or self._pika.is_closed):
            self._pika.close()
        self._loop.call_later(CLOSING_LIMIT, self._loop.stop)

    def _closed(self, _connection: Any, error: BaseException) -> None:
        self._reason = self._reason or explain(error)
        self._loop.stop()


def _parameters(url: str, name: str) -> Any:
    """pika's parameters, with our limits where the URL's query sets none."""
    plain, context = without_files(check_amqp_url(url))
    try:
        parameters = pika.URLParameters(plain)
    except (ValueError, TypeError, SyntaxError, AttributeError, OSError):
        # pika quotes what it could not read; that may be a secret, so its words stay out
        raise ValueError("broker URL: its query (after the ?) cannot be used: unknown name, value or file") from None
    if context is not None:
        parameters.ssl_options = pika.SSLOptions(context)
    require_checks(parameters.ssl_options and parameters.ssl_options.context)
    asked = urlsplit(url).query
    limits = {"heartbeat": 15, "blocked_connection_timeout": 300, "socket_timeout": 5, "stack_timeout": 10}
    for setting, value in limits.items():
        if f"{setting}=" not in asked:
            setattr(parameters, setting, value)
    parameters.connection_attempts = 1  # the transport's own back-off decides
    parameters.client_properties = {"connection_name": name}
    return parameters


def _quieten_pika() -> None:
    """pika logs each failed attempt several times; our own log says it once. A level that somebody set stays."""
    logger = logging.getLogger("pika")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)

"""The broker port over RabbitMQ: the only file that imports pika.

One connection, in an I/O thread of its own, so that heartbeats are served while a worker is busy. Other threads reach
it through `add_callback_threadsafe` only. A `_Session` is one connection's life; the link opens the next one.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pika
import pika.exceptions
import structlog
from pika.adapters.select_connection import IOLoop

from messaging.amqp_errors import explain, one_line
from messaging.amqp_url import check_amqp_url, place
from messaging.backoff import pause
from messaging.broker import Delivery, Parcel
from messaging.confirms import Batch, Confirms, Refusals
from messaging.deliveries import Unacknowledged, Waiting
from messaging.failpoints import reached
from messaging.topology import declare, in_order

__all__ = ["RabbitLink", "check_amqp_url"]

STABLE_AFTER = 2.0
"""A connection that held this many seconds starts the back-off anew; one that breaks at once does not."""
CLOSING_LIMIT = 2.0
"""Seconds for the closing handshake; then the connection is just dropped."""
QUIET = 60.0
"""Seconds in which the same trouble is not logged again."""
REFUSED_LIMIT = 10.0
"""Seconds for which a queue may refuse what we publish before we come with a new channel (confirms.py, Refusals)."""
_LONGEST_ROUTING_KEY = 255

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What every session of a link is to do."""

    parameters: Any
    consumes: str | None
    prefetch: int
    user_id: str | None
    declares: bool


class RabbitLink:
    """A `Link` (broker.py) over RabbitMQ, 3.10 to 4.x.

    `consumes` is a queue's name, or None for a link that only publishes; `prefetch` how many deliveries may be here
    unacknowledged; `user_id` the name the broker must check each message to come from (security S13). With
    `declares=False` exchanges and queues are only checked to be there: for users who may not configure.
    Raises ValueError with one clear line for a URL that names no RabbitMQ.
    """

    def __init__(
        self,
        url: str,
        *,
        consumes: str | None,
        name: str,
        prefetch: int = 200,
        user_id: str | None = None,
        declares: bool = True,
    ) -> None:
        self._plan = _Plan(_parameters(url, name), consumes, prefetch, user_id, declares)
        self._name = name
        self._log = _log.bind(link=name, broker=place(url))
        self._waiting = Waiting()
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._generation = 0
        self._connections = 0
        self._down = "not started"
        self._unsent: str | None = None
        self._said: dict[str, float] = {}

    @property
    def connected(self) -> bool:
        session = self._session
        return session is not None and session.ready

    @property
    def trouble(self) -> str | None:
        session = self._session
        if session is None or not session.ready:
            return self._down
        return session.blocked or self._unsent

    @property
    def connections(self) -> int:
        return self._connections

    def start(self) -> None:
        with self._lock:
            if self._thread is not None or self._stopping.is_set():
                return
            _quieten_pika()
            self._down = "connecting"
            self._thread = threading.Thread(target=self._run, name=f"rabbitmq {self._name}", daemon=True)
            self._thread.start()

    def take(self, most: int, wait: float) -> list[Delivery]:
        return self._waiting.take(most, wait)

    def wake(self) -> None:
        self._waiting.wake()

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        for parcel in parcels:
            if len(parcel.routing_key.encode()) > _LONGEST_ROUTING_KEY:
                raise ValueError(f"parcel {parcel.number}: its routing key has more than {_LONGEST_ROUTING_KEY} bytes")
        session = self._session
        batch = Batch(parcels)
        # While the broker blocks us it does not read: what we would send now only grows our memory.
        if session is None or session.blocked or not session.submit(batch):
            return set()
        batch.settled.wait(limit)
        if session.ready:  # else the lost connection is the trouble
            self._unsent = batch.complaint()
            if self._unsent:
                self._warn("unsent", self._unsent)
        return batch.confirmed()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        session = self._session
        if session is not None:
            session.acknowledge([one.tag for one in deliveries])

    def close(self) -> None:
        with self._lock:
            self._stopping.set()
            session, thread = self._session, self._thread
        self._waiting.close()
        if session is not None:
            session.stop()
        if thread is not None and thread is not threading.current_thread():
            thread.join(2 * CLOSING_LIMIT)
        self._down = "closed"

    def _run(self) -> None:
        """The I/O thread: one session after the other, until closed."""
        failures = 0
        while (session := self._next_session()) is not None:
            reason = session.run()
            self._waiting.drop()
            if self._stopping.is_set():
                return
            self._down = reason
            self._warn(reason, reason)
            failures = 0 if session.lasted > STABLE_AFTER else failures + 1
            chance = random.random()  # noqa: S311  spreads reconnects, protects nothing
            self._stopping.wait(pause(failures, chance, slow=session.hopeless))

    def _next_session(self) -> _Session | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._generation += 1
            self._session = _Session(self._plan, self._generation, self._waiting.put, self._on_ready, self._warn)
            return self._session

    def _on_ready(self) -> None:
        self._connections += 1
        self._unsent = None
        self._log.info("connected to the broker", connections=self._connections)

    def _warn(self, kind: str, line: str) -> None:
        """Log a trouble, but not again and again while it stays the same."""
        now = time.monotonic()
        if now - self._said.get(kind, -QUIET) >= QUIET:
            self._said = {known: at for known, at in self._said.items() if now - at < QUIET} | {kind: now}
            self._log.warning("trouble with the broker", reason=line)


class _Session:
    """One connection from the attempt to its end. All methods run in the I/O thread but where they say otherwise."""

    def __init__(
        self,
        plan: _Plan,
        generation: int,
        on_delivery: Callable[[Delivery], None],
        on_ready: Callable[[], None],
        warn: Callable[[str, str], None],
    ) -> None:
        self.generation = generation
        self.ready = False
        self.blocked: str | None = None
        self.hopeless = False
        """Will the next attempt fail alike, until somebody repairs something?"""
        self.lasted = 0.0
        """Once it is over: how many seconds it was ready."""
        self._plan = plan
        self._on_delivery = on_delivery
        self._on_ready = on_ready
        self._warn = warn
        self._loop = IOLoop()
        self._connection: Any = None
        self._channel: Any = None
        self._confirms = Confirms()
        self._refusals = Refusals(REFUSED_LIMIT)
        self._unacknowledged = Unacknowledged()
        self._reason: str | None = None
        self._ready_at: float | None = None
        self._lock = threading.Lock()  # guards the two below: whoever submits must not miss the end
        self._over = False
        self._submitted: list[Batch] = []

    def submit(self, batch: Batch) -> bool:
        """From any thread: publish this. False when the session is not ready or over."""
        with self._lock:
            if self._over or not self.ready:
                return False
            self._submitted.append(batch)
        self._loop.add_callback_threadsafe(self._publish_submitted)
        return True

    def acknowledge(self, tags: Sequence[tuple[int, int]]) -> None:
        """From any thread: those of `(generation, delivery tag)` that are of this session; the others are void."""
        own = [number for generation, number in tags if generation == self.generation]
        self._loop.add_callback_threadsafe(lambda: self._acknowledge(own))

    def stop(self) -> None:
        """From any thread: end it, after what was asked for before."""
        self._loop.add_callback_threadsafe(lambda: self._end("closed"))

    def run(self) -> str:
        """Connect and serve until the connection has ended; returns why, in one line."""
        try:
            self._connection = pika.SelectConnection(
                self._plan.parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._closed,
                on_close_callback=self._closed,
                custom_ioloop=self._loop,
            )
            self._connection.add_on_connection_blocked_callback(self._block)
            self._connection.add_on_connection_unblocked_callback(self._unblock)
            self._loop.start()
        except Exception as error:  # whatever it is: the link must not die of it, and its line names it
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
        """Declare, switch confirms on, subscribe: pika sends each when the one before was answered."""
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, error: self._channel_closed(error))
        channel.add_on_cancel_callback(lambda _frame: self._end("the broker cancelled our consumer"))
        channel.add_on_return_callback(self._returned)
        declare(channel, passive=not self._plan.declares)
        if self._plan.consumes is None:
            channel.confirm_delivery(self._confirm, callback=self._become_ready)
        else:
            channel.confirm_delivery(self._confirm, callback=in_order)
            channel.basic_qos(prefetch_count=self._plan.prefetch, callback=in_order)
            channel.basic_consume(self._plan.consumes, self._deliver, callback=self._become_ready)

    def _become_ready(self, _frame: Any) -> None:
        if self._reason is None:
            self._ready_at = time.monotonic()
            self.ready = True
            self._on_ready()

    def _block(self, _connection: Any, frame: Any) -> None:
        self.blocked = f"broker blocked: {one_line(frame.method.reason or 'it gives no reason')}"
        self._warn("blocked", self.blocked)

    def _unblock(self, _connection: Any, _frame: Any) -> None:
        self.blocked = None

    def _deliver(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        tag = method.delivery_tag
        self._unacknowledged.add(tag)
        self._on_delivery(
            Delivery(body, method.routing_key, method.redelivered, (self.generation, tag), self._plan.consumes or "")
        )

    def _acknowledge(self, tags: Sequence[int]) -> None:
        if self._channel is not None and self._channel.is_open:
            for tag, multiple in self._unacknowledged.settle(tags):
                self._channel.basic_ack(tag, multiple=multiple)

    def _publish_submitted(self) -> None:
        with self._lock:
            batches, self._submitted = self._submitted, []
        for batch in batches:
            if self.blocked or not self._channel.is_open:
                batch.settled.set()
                continue
            for parcel in batch.parcels:
                self._publish(batch, parcel)

    def _publish(self, batch: Batch, parcel: Parcel) -> None:
        properties = pika.BasicProperties(
            content_type="application/json",
            delivery_mode=2,
            message_id=str(parcel.number),
            user_id=self._plan.user_id,
        )
        self._channel.basic_publish(parcel.exchange, parcel.routing_key, parcel.body, properties, mandatory=True)
        self._confirms.sent(batch, parcel)

    def _confirm(self, frame: Any) -> None:
        reached("published")
        answer = frame.method
        taken = isinstance(answer, pika.spec.Basic.Ack)
        settled = self._confirms.answered(answer.delivery_tag, multiple=answer.multiple, taken=taken)
        if self._refusals.last_too_long(settled, taken=taken, now=time.monotonic()):
            self._end(f"a queue has refused us for {REFUSED_LIMIT:g} s (queue full?): trying over a new channel")

    def _returned(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        self._confirms.returned(int(properties.message_id), method.routing_key)

    def _channel_closed(self, error: BaseException) -> None:
        """A channel that the broker closed ends the session: one way to come back, not two."""
        if not isinstance(error, pika.exceptions.ChannelClosedByClient):
            self.hopeless = not self.ready and getattr(error, "reply_code", None) in (403, 406)
            self._end(explain(error))

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.ready = False
        if not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()
        self._loop.call_later(CLOSING_LIMIT, self._loop.stop)

    def _closed(self, _connection: Any, error: BaseException) -> None:
        self._reason = self._reason or explain(error)
        self._loop.stop()


def _parameters(url: str, name: str) -> Any:
    """pika's parameters, with our limits where the URL's query sets none."""
    check_amqp_url(url)
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError, SyntaxError, AttributeError, OSError):
        # pika quotes what it could not read; that may be a secret, so its words stay out
        raise ValueError("broker URL: its query (after the ?) cannot be used: unknown name, value or file") from None
    asked = urlsplit(url).query
    limits = {"heartbeat": 15, "blocked_connection_timeout": 300, "socket_timeout": 5, "stack_timeout": 10}
    for setting, value in limits.items():
        if f"{setting}=" not in asked:
            setattr(parameters, setting, value)
    parameters.connection_attempts = 1  # the link's own back-off decides
    parameters.client_properties = {"connection_name": name}
    return parameters


def _quieten_pika() -> None:
    """pika logs each failed attempt several times; our own log says it once. A level that somebody set stays."""
    logger = logging.getLogger("pika")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)

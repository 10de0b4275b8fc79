"""Drives a RabbitMQ with plain pika: puts bytes on queues, and passes all deliveries through `Traffic`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import pika

from messaging.broker import DEAD_LETTER_DESTINATION
from messaging.memory import route
from messaging.rabbitmq.topology import QUEUES
from scenario_tests.traffic import InTransit, Traffic

_DIVERTED = [queue for queue in QUEUES if queue.exchange != DEAD_LETTER_DESTINATION]
_SOURCES = sorted({queue.exchange for queue in _DIVERTED})
_LOOK_EVERY = 0.01


@contextmanager
def channel_on(url: str) -> Iterator[Any]:
    """A channel on the broker, as anybody with its password could have it."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


class RabbitDriver:
    """Acts on the broker at `url` as one who may do everything, and name any sender where it has to name one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._taps = 0
        self._tap: _Tap | None = None

    def put(self, queue: str, body: bytes, user: str | None) -> None:
        with channel_on(self._url) as channel:
            channel.confirm_delivery()
            channel.basic_publish("", queue, body, _sent_by(user), mandatory=True)

    def depth(self, queue: str) -> int:
        with channel_on(self._url) as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def purge(self) -> None:
        """Empty all our queues that are there."""
        for queue in QUEUES:
            with channel_on(self._url) as channel:
                try:
                    channel.queue_purge(queue.name)
                except pika.exceptions.ChannelClosedByBroker as error:
                    if error.reply_code != 404:
                        raise

    @contextmanager
    def tapped(self) -> Iterator[Traffic]:
        """Inside the block every delivery goes through `Traffic` before it comes to its queue. Blocks may be nested."""
        if self._tap is None:
            self._tap = _Tap(self._url)
        self._taps += 1
        try:
            yield self._tap.traffic
        finally:
            self._taps -= 1
            if not self._taps:
                tap, self._tap = self._tap, None
                tap.close()


def _sent_by(user: str | None) -> Any:
    return pika.BasicProperties(delivery_mode=2, user_id=user)


class _Tap:
    """A queue of our own bound in the place of all others, and a thread that forwards what comes there."""

    def __init__(self, url: str) -> None:
        self._outgoing: SimpleQueue[InTransit] = SimpleQueue()
        self.traffic = Traffic(self._outgoing.put)
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        for exchange in _SOURCES:
            self._channel.queue_bind(self._queue, exchange, "#")
        for queue in _DIVERTED:
            self._channel.queue_unbind(queue.name, queue.exchange, queue.pattern)
        self._ended = Event()
        self._thread = Thread(target=self._forward_all, name="tap", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The deliveries go their usual way again; what came to us until then is forwarded."""
        self._ended.set()
        self._thread.join()

    def _forward_all(self) -> None:
        for method, sent, body in self._channel.consume(self._queue, auto_ack=True, inactivity_timeout=_LOOK_EVERY):
            if method is not None:
                self._take(InTransit(method.exchange, method.routing_key, body, sent.user_id))
            self._send_outgoing()
            if self._ended.is_set():
                break
        for queue in _DIVERTED:
            self._channel.queue_bind(queue.name, queue.exchange, queue.pattern)
        for exchange in _SOURCES:
            self._channel.queue_unbind(self._queue, exchange, "#")
        for method, sent, body in self._channel.consume(self._queue, auto_ack=True, inactivity_timeout=0.1):
            if method is None:
                break
            self._take(InTransit(method.exchange, method.routing_key, body, sent.user_id))
        self._send_outgoing()
        self._connection.close()

    def _take(self, delivery: InTransit) -> None:
        for each in self.traffic.pass_on(delivery):
            self._send(each)

    def _send_outgoing(self) -> None:
        while True:
            try:
                self._send(self._outgoing.get_nowait())
            except Empty:
                return

    def _send(self, delivery: InTransit) -> None:
        queue = route(delivery.destination, delivery.topic)
        if queue is not None:
            self._channel.basic_publish("", queue, delivery.body, _sent_by(delivery.sender))

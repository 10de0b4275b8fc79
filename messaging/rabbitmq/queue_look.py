"""Asks RabbitMQ how a queue is, by a passive declaration over a channel of its own.

Versions before 4.2.6 answer it to everybody, later ones only to who has a right there: whoever may not ask loses that
channel and nothing else, and does not ask again over this connection.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from messaging.broker import QueueState

WITHIN = 0.5
"""Seconds that is waited for the answer."""


class QueueLook:
    """Of one connection. `call_soon` has something done in its I/O thread, `connection` gives pika's connection."""

    def __init__(
        self, queue: str | None, call_soon: Callable[[Callable[[], None]], None], connection: Callable[[], Any]
    ) -> None:
        self._queue = queue
        self._call_soon = call_soon
        self._connection = connection
        self._refused = queue is None
        self._found: QueueState | None = None
        self._answered = Event()

    def __call__(self) -> QueueState | None:
        """From one thread at a time: how the queue is; None where that is refused or takes too long."""
        if self._refused:
            return None
        self._found = None
        self._answered.clear()
        self._call_soon(self._ask)
        self._answered.wait(WITHIN)
        return self._found

    def _ask(self) -> None:
        connection = self._connection()
        if connection.is_open:
            connection.channel(on_open_callback=self._opened)
        else:
            self._answered.set()

    def _opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._closed)
        channel.queue_declare(self._queue, passive=True, callback=lambda frame: self._heard(channel, frame))

    def _heard(self, channel: Any, frame: Any) -> None:
        self._found = QueueState(self._queue or "", frame.method.message_count, frame.method.consumer_count)
        self._answered.set()
        channel.close()

    def _closed(self, _channel: Any, error: BaseException) -> None:
        """By us, or by the broker: then it is refused, or there is no such queue."""
        self._refused = self._refused or getattr(error, "reply_code", 200) == 403
        self._answered.set()

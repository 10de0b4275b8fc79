"""Routing keys under which the broker does not let us write, so that they hold up no others (security S13).

RabbitMQ answers such a message by closing the channel, and does not say which of the open ones it was: afterwards each
key that was open is tried alone. The one with which the channel closes again is left alone for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from messaging.broker import OutboundMessage

LASTS = 10.0
"""Seconds for which nothing is sent under a forbidden key; then it is tried again: the right may be there by now."""
Key = tuple[str, str]
"""(destination, topic)."""


def key_of(message: OutboundMessage) -> Key:
    return message.destination, message.topic


class ForbiddenKeys:
    """What is known of the keys of one transport, over all its connections. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._suspected: set[Key] = set()
        self._forbidden: dict[Key, float] = {}

    def closed_with(self, keys: Iterable[Key], now: float) -> None:
        """The broker has refused one of these and closed the channel, at `now` (monotonic seconds)."""
        found = set(keys)
        with self._lock:
            self._suspected |= found
            if len(found) == 1:
                self._forbidden[found.pop()] = now + LASTS

    def taken(self, messages: Iterable[OutboundMessage]) -> None:
        """The broker has answered these: nobody forbids their keys."""
        if self._suspected:
            with self._lock:
                self._suspected -= {key_of(message) for message in messages}

    def portions(self, outbound: Sequence[OutboundMessage], now: float) -> list[Sequence[OutboundMessage]]:
        """What may go out together, in order; what is forbidden now is in none of them."""
        with self._lock:
            if not self._suspected:
                return [outbound]
            alone: dict[Key, list[OutboundMessage]] = {}
            together = []
            for message in outbound:
                key = key_of(message)
                if key not in self._suspected:
                    together.append(message)
                elif self._forbidden.get(key, now) <= now:
                    alone.setdefault(key, []).append(message)
            return [portion for portion in (together, *alone.values()) if portion]

    def trouble(self, outbound: Sequence[OutboundMessage], now: float) -> str | None:
        """One clear line on what of these is forbidden now; None when nothing is."""
        with self._lock:
            topics = {message.topic for message in outbound if self._forbidden.get(key_of(message), now) > now}
        return f"no right to write {', '.join(sorted(topics))} (clerk broker permissions)" if topics else None

"""Bounds what one sender may leave among the parked messages: beyond it they are counted (B1, docs/decisions/062)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from domain.times import hours
from messaging.parked import KEPT_BYTES, ParkedMessage, id_of

PER_HOUR = 16 * 1024 * 1024
"""Bytes that one sender may leave at one participant within an hour."""
TOLD = 4
"""So many times as much for what a service tells ShopManager of: that may come from several senders."""
ROW = 1024
"""Bytes that a row has beside the message."""
REMEMBERED = 100
"""Senders. There are five, and whatever users an administrator of the broker has added."""
log = structlog.get_logger()
Origin = tuple[str, str | None]
"""The service that parks, and the broker's user who sent; of what a service tells, `TOLD_BY` whoever it says it was."""
TOLD_BY = "told"


@dataclass
class _Window:
    """An hour that began with a message; `left` bytes may still be kept in it."""

    began_at: int
    left: int
    told: bool = False


class ParkedBound:
    """One participant's. Not thread-safe: for the worker's thread only. A restart begins a new hour."""

    def __init__(self, per_hour: int = PER_HOUR) -> None:
        self._per_hour = per_hour
        self._windows: dict[Origin, _Window] = {}

    def bounded(self, parked: Sequence[ParkedMessage], now: int) -> list[ParkedMessage]:
        """The messages to park: each as it is, or as one more of the line that only counts. `now` in ms."""
        return [self._bounded(message, now) for message in parked]

    def _bounded(self, message: ParkedMessage, now: int) -> ParkedMessage:
        window = self._window(message, now)
        size = ROW + min(len(message.body), KEPT_BYTES)
        if size <= window.left:
            window.left -= size
            return message
        if not window.told:
            window.told = True
            log.warning("parked_messages_only_counted", parked_by=message.service, sender=message.sender)
        told = message.known_as is not None
        return replace(message, known_as=_line_of(message, window), body=b"", whole_size=message.size, poison=False,
                       sender=None if told else message.sender,
                       reason=f"more than may be kept of one sender within an hour: it is only counted, in `times`; "
                              f"the last one: {message.reason}"[:1000])  # fmt: skip

    def _window(self, message: ParkedMessage, now: int) -> _Window:
        origin = _origin_of(message)
        window = self._windows.get(origin)
        if window is None or now >= window.began_at + hours(1):
            if len(self._windows) >= REMEMBERED:
                self._windows.pop(next(iter(self._windows)))
            most = self._per_hour * (TOLD if message.known_as else 1)
            window = self._windows[origin] = _Window(now, most)
        return window


def _origin_of(message: ParkedMessage) -> Origin:
    return message.service, TOLD_BY if message.known_as else message.sender


def _line_of(message: ParkedMessage, window: _Window) -> str:
    """The id of the line that counts: one for each sender and hour, forged ones apart."""
    parts = (*map(str, _origin_of(message)), str(window.began_at), str(message.forged))
    return id_of(b"counted", *(part.encode() for part in parts))

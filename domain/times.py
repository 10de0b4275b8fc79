"""Moments and durations: `int` milliseconds (moments count from 1970 UTC), and their RFC 3339 form on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def seconds(count: float) -> int:
    """A duration in milliseconds."""
    return round(count * 1000)


def minutes(count: float) -> int:
    return seconds(count * 60)


def hours(count: float) -> int:
    return minutes(count * 60)


def days(count: float) -> int:
    return hours(count * 24)


def to_wire(moment: int) -> str:
    """`1764000000123` → `2025-11-24T16:00:00.123Z`."""
    whole, rest = divmod(moment, 1000)
    return f"{_second(whole)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(whole: int) -> str:
    """Most moments that are written lie within the same few seconds."""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"


def from_wire(text: str) -> int:
    """The moment an RFC 3339 text names (`t` and `z` too); ValueError when it is none or has no offset."""
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no offset: an RFC 3339 time ends with Z or +hh:mm")
    return int(moment.timestamp() * 1000)

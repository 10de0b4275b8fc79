"""Waiting for a state by polling, with a limit."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic

LIMIT = 30.0
"""Seconds after which a state that should have come never will."""
_LOOK_EVERY = 0.03


def until(state: Callable[[], bool], what: str | Callable[[], str], limit: float = LIMIT) -> None:
    """Returns once `state` holds; after `limit` seconds AssertionError with `what`."""
    end, pause = monotonic() + limit, Event()
    while not state():
        if monotonic() > end:
            raise AssertionError(f"waited {limit} s in vain: {what if isinstance(what, str) else what()}")
        pause.wait(_LOOK_EVERY)


def lasts(seconds: float) -> None:
    """Returns after so many seconds: for faults that have a duration. Tests never wait like this for a state."""
    Event().wait(seconds)

"""Patches what production code takes from its machine: the monotonic clock, randomness for ids, and logs.

Each patched name must exist: a module that one day gets its time from elsewhere fails here at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import http_api.access_check
import messaging.worker
import payment_service.provider_gateway
import shop_manager.engine.outages
import shop_manager.engine.store
import shop_manager.sessions.opening

TIMED: tuple[ModuleType, ...] = (
    http_api.access_check,
    messaging.worker,
    shop_manager.engine.outages,
    shop_manager.sessions.opening,
)
LOGGING: tuple[ModuleType, ...] = (messaging.worker, payment_service.provider_gateway)


class NoLog:
    """A logger that drops everything."""

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda *_words, **_more: None


@contextmanager
def patched(monotonic: Callable[[], float], randomness: Callable[[int], bytes]) -> Iterator[None]:
    """Inside, production code reads the time from `monotonic` (seconds), and makes ids of `randomness(bytes)`."""
    replacements: list[tuple[Any, str, object]] = [
        *((module, "monotonic", monotonic) for module in TIMED),
        *((module, "log", NoLog()) for module in LOGGING),
        (shop_manager.sessions.opening, "os", SimpleNamespace(urandom=randomness)),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in replacements]
    try:
        for module, name, value in replacements:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)

"""What production code takes from the machine it runs on (time, chance, logs), replaced for as long as it is simulated.

Each name must be there: a module that gets its time from elsewhere one day fails here, and not in a thousand seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import messaging.worker
import payment_service.calls
import payment_service.till
import shop_manager.opening
import shop_manager.outages
import shop_manager.store

TIMED: tuple[ModuleType, ...] = (
    messaging.worker,
    shop_manager.outages,
    shop_manager.opening,
    payment_service.till,
)
LOGGING: tuple[ModuleType, ...] = (messaging.worker, payment_service.calls)


class Silence:
    """A log that nobody reads."""

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda *_words, **_more: None


@contextmanager
def simulated(monotonic: Callable[[], float], randomness: Callable[[int], bytes]) -> Iterator[None]:
    """Inside, `monotonic` is the time that passes, and ids are made of `randomness`."""
    replacements: list[tuple[Any, str, object]] = [
        *((module, "monotonic", monotonic) for module in TIMED),
        *((module, "log", Silence()) for module in LOGGING),
        (shop_manager.opening, "os", SimpleNamespace(urandom=randomness)),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in replacements]
    try:
        for module, name, value in replacements:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)

"""What a stage is: a running shop that the words of `shop.py` can play on, and the places where tests may break it.

Two of them: `embedded_stage.py` (everything in this process) and `services_stage.py` (five processes on real servers).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from messaging.database import Database
from scenario_tests.traffic import Traffic

SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")
SETTINGS = {
    "CLERK_RESEND_FIRST": "0.3",
    "CLERK_RESEND_MOST": "1",
    "CLERK_GRACE": "4",
    "CLERK_STEP_LIMIT_FACTOR": "0.2",
    "CLERK_FULFILLMENT_WAREHOUSE": "manual",
    "CLERK_LOG_JSON": "true",
}
"""Limits that pass within seconds: a step that may take a minute has twelve seconds here."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Who may knock: the shop's backend, the warehouse, an operator."""

    server: str
    warehouse: str
    operator: str


class Stage(Protocol):
    """A running shop. Whatever a test stops it starts again: the next test finds the shop whole."""

    keys: Keys

    def door(self, service: str) -> str:
        """The base URL at which this service answers."""
        ...

    def database(self, service: str) -> Database:
        """The service's database, for looking behind its back."""
        ...

    def traffic(self) -> AbstractContextManager[Traffic]:
        """Inside the block every delivery between participants passes through the test's hands."""
        ...

    def put(self, queue: str, body: bytes) -> None:
        """Put these bytes on a queue, as anybody with a broker's password could."""
        ...

    def depth(self, queue: str) -> int:
        """How many deliveries wait there."""
        ...

    def stop(self, service: str) -> None:
        """The service is gone, in good order."""
        ...

    def kill(self, service: str) -> None:
        """`kill -9`; only where services are processes."""
        ...

    def start(self, service: str) -> None:
        """It is back on the same data; returns when it is ready."""
        ...

    def stop_broker(self) -> None: ...

    def kill_broker(self) -> None:
        """`kill -9`; only where the broker is a process."""
        ...

    def start_broker(self) -> None:
        """Returns when every participant is connected again."""
        ...

    def another_manager(self) -> AbstractContextManager[str]:
        """A second ShopManager beside the first, on the same data; gives its base URL."""
        ...

    def close(self) -> None: ...

"""What a harness is: it runs the shop for `shop.py`, and has the places where tests may break it.

There are three: `embedded_harness.py` (all in this process), `services_harness.py` (five processes on real servers) and
`up_harness.py` (`clerk up`).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from messaging.database import Database
from scenario_tests.traffic import Traffic

SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")
PROVIDER_SECRET = "the-provider-signs-its-notices-with-this"
SETTINGS = {
    "CLERK_RESEND_FIRST": "0.3",
    "CLERK_RESEND_MOST": "1",
    "CLERK_GRACE": "4",
    "CLERK_STEP_LIMIT_FACTOR": "0.2",
    "CLERK_GUEST_SESSIONS_PER_ADDRESS": "20",
    "CLERK_FULFILLMENT_WAREHOUSE": "manual",
    "CLERK_PAYMENT_PROVIDER_SECRET": PROVIDER_SECRET,
    "CLERK_LOG_JSON": "true",
    "CLERK_SQLITE_SYNC": "normal",
}
"""Short limits: a step that may take a minute has twelve seconds here. No power is cut, so no commit waits."""


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The API keys of the shop's backend, of the warehouse and of an operator."""

    server: str
    warehouse: str
    operator: str


class Harness(Protocol):
    """A running shop. Whatever a test stops it starts again: the next test finds the shop whole."""

    keys: ApiKeys
    knows_senders: bool
    """Has each service a broker user of its own? A broker that is not ours has one for all."""

    def url_of(self, service: str) -> str:
        """The base URL at which this service answers."""
        ...

    def database(self, service: str) -> Database:
        """The service's database, to read or change it past the service."""
        ...

    def traffic(self) -> AbstractContextManager[Traffic]:
        """Inside the block every delivery between participants passes through `Traffic`."""
        ...

    def put(self, queue: str, body: bytes, sender: str | None) -> None:
        """Put these bytes on a queue: sent by this service, by another user of the broker, or naming no sender."""
        ...

    def depth(self, queue: str) -> int:
        """How many deliveries wait there."""
        ...

    def stop(self, service: str) -> None:
        """End the service in good order."""
        ...

    def kill(self, service: str) -> None:
        """`kill -9`; only where services are processes."""
        ...

    def start(self, service: str) -> None:
        """Start it again on the same data; returns when it is ready."""
        ...

    def recover(self) -> None:
        """Start whatever a test that has failed has left down, so that the next one finds a whole shop."""
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

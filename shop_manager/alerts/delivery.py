"""Delivers alerts over one channel, in a thread of its own: a receiver that hangs holds up this channel alone.

At least once: an alert that arrived and of which that could not be noted, because the process died, arrives again with
the same id.
"""

from __future__ import annotations

from threading import Thread
from time import monotonic
from typing import Any, Protocol

import structlog
from prometheus_client import Counter

from messaging.database import Database
from messaging.database_errors import DATABASE_ERRORS, said_by
from shop_manager.alerts import outbox

LOOK_EVERY = 1.0
"""Seconds between two looks whether something waits."""
STOP_WITHIN = 1.0
log = structlog.get_logger()


class NotDelivered(Exception):
    """Why an alert has not arrived: one line without secrets."""


class Channel(Protocol):
    name: str

    def send(self, alert: Any, now: int) -> str:
        """Returns when it has arrived, with a remark or `""`. NotDelivered says why not."""
        ...


class Delivery:
    """`tick` is called often and returns at once. `counter` counts by channel and outcome."""

    def __init__(self, database: Database, channel: Channel, counter: Counter) -> None:
        self.channel = channel
        self._database = database
        self._counter = counter
        self._thread: Thread | None = None
        self._due = float("-inf")
        self._stopped = False

    def tick(self) -> None:
        busy = self._thread is not None and self._thread.is_alive()
        if busy or self._stopped or monotonic() < self._due:
            return
        self._due = monotonic() + LOOK_EVERY
        if outbox.any_due(self._database, self.channel.name):
            self._thread = Thread(target=self._deliver_what_is_due, name=f"alerts-{self.channel.name}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is on its way has a moment to be noted."""
        self._stopped = True
        if self._thread is not None:
            self._thread.join(STOP_WITHIN)

    def _deliver_what_is_due(self) -> None:
        try:
            while not self._stopped and self.deliver_one():
                pass
        except DATABASE_ERRORS as error:  # after the lease it is tried again
            log.warning("alert_waits", channel=self.channel.name, trouble=said_by(error))
        except Exception:
            log.exception("alert_delivery_failed", channel=self.channel.name)

    def deliver_one(self) -> bool:
        """Deliver what comes next; False when nothing was due."""
        name = self.channel.name
        claimed = outbox.claim(self._database, name)
        if claimed is None:
            return False
        try:
            remark = self.channel.send(claimed.alert, self._database.clock())
        except NotDelivered as error:
            given_up = outbox.failed(self._database, name, claimed, str(error)[:300])
            self._counter.labels(name, "given_up" if given_up else "failed").inc()
            log.warning("alert_not_delivered", channel=name, alert=claimed.alert["id"], trouble=str(error)[:300])
        else:
            outbox.delivered(self._database, name, claimed, remark[:300])
            self._counter.labels(name, "delivered").inc()
        return True

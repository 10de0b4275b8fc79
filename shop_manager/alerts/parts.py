"""The alerts of one ShopManager put together: who looks, who delivers, and what is known of it for the monitoring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from prometheus_client.registry import Collector

from messaging.database import Database
from messaging.health_check import HealthCheck
from shop_manager.alerts import outbox
from shop_manager.alerts.delivery import Channel, Delivery
from shop_manager.alerts.figures import WaitingAlerts, outcome_counter
from shop_manager.alerts.options import AlertOptions
from shop_manager.alerts.watch import Watch
from shop_manager.processes import ProcessRegistry

LOOK_EVERY = 2.0
FORGET_EVERY = 600.0
"""Seconds."""
Paced = tuple[Callable[[], object], float]
"""What is done now and then, and after how many seconds."""


class Alerts:
    """Without a channel there is nothing to do, and nothing is shown."""

    def __init__(self, database: Database, processes: ProcessRegistry, options: AlertOptions) -> None:
        self.options = options
        self.watch = Watch(database, processes, options)
        self._database = database
        self._waiting = WaitingAlerts(database, options.channels)
        self._counter = outcome_counter(options.channels)
        self.deliveries = [Delivery(database, channel, self._counter) for channel in channels_of(options)]

    @property
    def paced(self) -> list[Paced]:
        """What a ShopManager with an engine does every few seconds."""
        if not self.deliveries:
            return []
        return [(self.watch.look, LOOK_EVERY), (partial(outbox.forget_old, self._database), FORGET_EVERY)]

    @property
    def ticks(self) -> list[Callable[[], None]]:
        return [delivery.tick for delivery in self.deliveries]

    def stop(self) -> None:
        for delivery in self.deliveries:
            delivery.stop()

    @property
    def collectors(self) -> Sequence[Collector]:
        return (self._counter, self._waiting)

    def checks(self) -> dict[str, HealthCheck]:
        """What readiness tells: never red, because no order waits for an alert."""
        waiting = self._waiting.by_channel() or {}
        told = [f"{name}: {f'{count} wait' if count else 'all delivered'}" for name, count in waiting.items()]
        return {"alerts": HealthCheck(True, "; ".join(told))} if told else {}


def channels_of(options: AlertOptions) -> list[Channel]:
    """Those that are set. What each needs is loaded only then."""
    found: list[Channel] = []
    if options.webhook is not None:
        from shop_manager.alerts.webhook import Webhook  # noqa: PLC0415  # httpx is slow to load

        found.append(Webhook(options.webhook))
    if options.email is not None:
        from shop_manager.alerts.mail import Mail  # noqa: PLC0415  # as above

        found.append(Mail(options.email))
    return found

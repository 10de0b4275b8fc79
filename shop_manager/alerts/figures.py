"""What became of alerts, for `/metrics` and readiness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from messaging.database import Database
from messaging.lately import Lately
from shop_manager.alerts import outbox

OUTCOMES = ("delivered", "failed", "given_up")


def outcome_counter(channels: Iterable[str]) -> Counter:
    """Counts tries of this process; each outcome of each channel is there from the beginning."""
    counter = Counter(
        "clerk_alerts",
        "Tries to deliver an alert; failed: it is tried again; given_up: it is not.",
        ["channel", "outcome"],
        registry=None,
    )
    for channel in channels:
        for outcome in OUTCOMES:
            counter.labels(channel, outcome)
    return counter


class WaitingAlerts(Collector):
    """How many deliveries wait, read from the database: the same at every ShopManager."""

    def __init__(self, database: Database, channels: Iterable[str]) -> None:
        self._database = database
        self._channels = list(channels)
        self._lately = Lately(self._read)

    def by_channel(self) -> dict[str, int] | None:
        """Of those that are set, as it was some seconds ago; None while the database does not answer."""
        return self._lately.value() if self._channels else {}

    def _read(self) -> dict[str, int]:
        with self._database.read() as tx:
            waiting = outbox.waiting_by_channel(tx)
        return {name: waiting.get(name, 0) for name in self._channels}

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("clerk_alerts_waiting", "Alerts that have not arrived yet.", labels=["channel"])
        for channel, count in (self.by_channel() or {}).items():
            waiting.add_metric([channel], count)
        yield waiting

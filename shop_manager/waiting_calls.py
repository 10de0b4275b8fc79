"""Calls of this process that hold a place while they wait, long polls and event streams, for `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from http_api.places import ALL
from shop_manager.dashboard import live
from shop_manager.operations import change_notifier as news
from shop_manager.operations.facade import Operations
from shop_manager.sessions import change_notifier, waiting_places


class WaitingCalls(Collector):
    """By what they wait for. `customers` are those of `sessions` that show no access key."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("clerk_waiting_calls", "Calls that wait for changes.", labels=["waits_for"])
        most = GaugeMetricFamily("clerk_waiting_calls_max", "As many may wait.", labels=["waits_for"])
        for name, (held, bound) in self._places().items():
            waiting.add_metric([name], held)
            most.add_metric([name], bound)
        yield from (waiting, most)

    def _places(self) -> dict[str, tuple[int, int]]:
        sessions = self._operations.reads.sessions
        customers = sessions.places.taken(waiting_places.CUSTOMERS)
        return {
            "sessions": (sessions.notifier.waiting, change_notifier.MOST),
            "customers": (customers, waiting_places.OF_CUSTOMERS),
            "news": (self._operations.notifier.places.taken(ALL), news.MOST),
            "pages": (self._operations.open_pages.taken(ALL), live.MOST),
        }

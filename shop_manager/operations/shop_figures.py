"""The shop's figures for `/metrics`: what is stuck and what it may cost, parked messages, live Clerks, opens and ends.

They are read from the database, once in some seconds, and are the same at every ShopManager. No ended Clerk is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from messaging.database import Database
from messaging.lately import Lately
from shop_manager.operations.parked_reads import open_by_service
from shop_manager.operations.summary import MONEY, live_by_status, stuck_causes
from shop_manager.operations.tallies import OPENED
from shop_manager.operations.totals import opens_and_ends_ever
from shop_manager.processes import ProcessRegistry

MONEY_SAYS = {
    "money_at_risk": "Money that can be lost with stuck Clerks, in minor units of the currency.",
    "money_to_settle": "Money of stuck Clerks that are paid and shipped and not settled, in minor units.",
}


@dataclass(frozen=True, slots=True)
class Read:
    """What one transaction has found. `causes` as `stuck_causes` gives them."""

    causes: Sequence[Mapping[str, Any]]
    parked: Mapping[str, int]
    live: Mapping[str, int]
    counted: Mapping[tuple[str, str], int]


class ShopFigures(Collector):
    def __init__(self, database: Database, processes: ProcessRegistry, first_steps: Sequence[str]) -> None:
        self._database = database
        self._processes = processes
        self._first_steps = first_steps
        self._lately = Lately(self._read)

    def _read(self) -> Read:
        with self._database.read() as tx:
            return Read(
                causes=stuck_causes(tx, self._processes, tx.now()),
                parked=open_by_service(tx),
                live=live_by_status(tx, self._first_steps),
                counted=opens_and_ends_ever(tx),
            )

    def collect(self) -> Iterator[Metric]:
        read = self._lately.value()
        if read is None:  # the database does not answer: `clerk_database_up` says so
            return
        yield from _stuck(read.causes)
        parked = GaugeMetricFamily(
            "clerk_parked_messages", "Parked messages that nobody has decided about.", labels=["parked_by"]
        )
        for service, count in sorted(read.parked.items()):
            parked.add_metric([service], count)
        live = GaugeMetricFamily("clerk_live_clerks", "Clerks that have not ended.", labels=["status"])
        for status, count in read.live.items():
            live.add_metric([status], count)
        yield from (parked, live)
        yield from _counted(read.counted)


def _stuck(causes: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    """Causes with another code only are one sample: a service may say any code."""
    counts: Counter[tuple[str, str, str]] = Counter()
    money: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in MONEY}
    ages: dict[str, int] = {}
    for cause in causes:
        kind = cause["kind"]
        counts[kind, cause["process"], cause["step"]] += cause["count"]
        ages[kind] = max(ages.get(kind, 0), cause["oldest_seconds"])
        for name, sums in money.items():
            for currency, amount in cause[name].items():
                sums[kind, currency] += amount
    stuck = GaugeMetricFamily(
        "clerk_stuck_clerks", "Clerks that do not go on without a person.", labels=["kind", "process", "step"]
    )
    for labels, count in sorted(counts.items()):
        stuck.add_metric(labels, count)
    age = GaugeMetricFamily(
        "clerk_stuck_oldest_age_seconds", "How long the one is stuck that is so the longest.", labels=["kind"]
    )
    for kind, seconds in sorted(ages.items()):
        age.add_metric([kind], seconds)
    yield from (stuck, age)
    for name, says in MONEY_SAYS.items():
        family = GaugeMetricFamily(f"clerk_{name}_minor_units", says, labels=["kind", "currency"])
        for pair, amount in sorted(money[name].items()):
            family.add_metric(pair, amount)
        yield family


def _counted(counted: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    opened = CounterMetricFamily("clerk_sessions_opened", "Sessions that were opened.", labels=["process"])
    ended = CounterMetricFamily("clerk_sessions_ended", "Sessions that ended so.", labels=["process", "outcome"])
    for (process, what), count in sorted(counted.items()):
        if what == OPENED:
            opened.add_metric([process], count)
        else:
            ended.add_metric([process, what], count)
    yield from (opened, ended)

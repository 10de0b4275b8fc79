"""What `/metrics` tells of this process and of its participants (ShopManager, services), read at each scrape.

What needs a database is read once in some seconds, whoever asks (docs/decisions/120). Names: docs/how-to/monitor.md.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import make_url
from sqlalchemy.pool import QueuePool

from domain.version import VERSION
from messaging.broker import BLOCKED, TellsOfItsQueue
from messaging.database import Database
from messaging.lately import Lately
from messaging.outbox import Unsent
from messaging.participant import Participant

Reading = Callable[[Participant], float]
COUNTERS: Sequence[tuple[str, str, Reading]] = (
    ("clerk_messages_handled", "Messages that were dealt with.", lambda each: sum(one.handled for one in each.workers)),
    ("clerk_batches", "Transactions in which messages were dealt with.",
     lambda each: sum(one.batches for one in each.workers)),
    ("clerk_statements", "Statements sent to the database; those sent in one message count once.",
     lambda each: each.database.statements),
    ("clerk_commits", "Transactions committed.", lambda each: each.database.commits),
    ("clerk_broker_connections", "Connections to the broker that were established: more than one, it came back.",
     lambda each: max(one.transport.connections for one in each.workers)),
)  # fmt: skip
GAUGES: Sequence[tuple[str, str, Reading]] = (
    ("clerk_messages_held", "Messages that failed and are tried again.",
     lambda each: sum(len(one.held) for one in each.workers)),
    ("clerk_last_tick_age_seconds", "Seconds since the last tick.", lambda each: monotonic() - each.last_tick),
    ("clerk_workers_ended", "Threads that should take messages and have ended: 0 unless something is broken.",
     lambda each: 0 if each.waiting_for else sum(not one.alive for one in each.workers)),
    ("clerk_broker_connected", "1 while all its connections to the broker are up.",
     lambda each: all(one.transport.connected for one in each.workers)),
    ("clerk_broker_blocked", "1 while the broker takes no messages: its memory or its disk is short.",
     lambda each: any((one.transport.trouble or "").startswith(BLOCKED) for one in each.workers)),
    ("clerk_database_places_in_use", "Requests that are at the database.", lambda each: each.database.requests.held),
    ("clerk_database_places_max", "As many requests may be at the database; the others wait, then hear 503.",
     lambda each: each.database.requests.most),
)  # fmt: skip


class ParticipantFigures(Collector):
    """What every participant has, one sample each, by the label `service`."""

    def __init__(self, participants: Sequence[Participant]) -> None:
        self._participants = participants
        self._queues = [
            Lately(worker.transport.queue_state)
            for each in participants
            for worker in each.workers
            if isinstance(worker.transport, TellsOfItsQueue)
        ]
        self._unsent: dict[str, Lately[Unsent]] = {each.name: Lately(each.outbox.unsent_now) for each in participants}

    def collect(self) -> Iterator[Metric]:
        for name, says, reading in COUNTERS:
            counter = CounterMetricFamily(name, says, labels=["service"])
            for each in self._participants:
                counter.add_metric([each.name], reading(each))
            yield counter
        for name, says, reading in GAUGES:
            gauge = GaugeMetricFamily(name, says, labels=["service"])
            for each in self._participants:
                gauge.add_metric([each.name], float(reading(each)))
            yield gauge
        yield from self._pools()
        yield from self._outboxes()
        yield from self._queue_states()
        yield from self._files()

    def _pools(self) -> Iterator[Metric]:
        used = gauge_by_service("clerk_database_connections_in_use", "Connections of the pool that are in use.")
        kept = gauge_by_service("clerk_database_connections_kept", "As many the pool keeps open when they are free.")
        over = gauge_by_service("clerk_database_connections_overflow", "Connections that are open beyond those kept.")
        most = gauge_by_service("clerk_database_connections_max", "As many may be in use; who needs another waits.")
        for each in self._participants:
            pool = pool_state(each.database)
            for family, count in zip((used, kept, over, most), pool, strict=True):
                family.add_metric([each.name], count)
        yield from (used, kept, over, most)

    def _outboxes(self) -> Iterator[Metric]:
        reached = gauge_by_service("clerk_database_up", "1 while the database answers.")
        count = gauge_by_service("clerk_outbox_unsent", "Rows of the outbox that the broker has not confirmed.")
        age = gauge_by_service("clerk_outbox_oldest_age_seconds", "Age of the oldest of these; 0 without any.")
        for each in self._participants:
            unsent = self._unsent[each.name].value()
            reached.add_metric([each.name], unsent is not None)
            if unsent is not None:
                count.add_metric([each.name], unsent.rows)
                age.add_metric([each.name], unsent.oldest_ms / 1000)
        yield from (reached, count, age)

    def _queue_states(self) -> Iterator[Metric]:
        """Where the broker tells its users."""
        waiting = GaugeMetricFamily("clerk_queue_messages", "Deliveries that wait for a consumer.", labels=["queue"])
        consumers = GaugeMetricFamily("clerk_queue_consumers", "Consumers of the queue.", labels=["queue"])
        for state in filter(None, (each.value() for each in self._queues)):
            waiting.add_metric([state.queue], state.waiting)
            consumers.add_metric([state.queue], state.consumers)
        yield from (waiting, consumers)

    def _files(self) -> Iterator[Metric]:
        """Of SQLite; PostgreSQL is watched where it runs."""
        size = gauge_by_service("clerk_database_file_bytes", "Size of the database's files (SQLite only).")
        free = gauge_by_service("clerk_disk_free_bytes", "Room left where the database's files are (SQLite only).")
        for each in self._participants:
            if (file := file_of(each.database)) is None:
                continue
            with suppress(OSError):
                free.add_metric([each.name], shutil.disk_usage(file.parent).free)
            size.add_metric([each.name], sum(_size(Path(f"{file}{end}")) for end in ("", "-wal")))
        yield from (size, free)


class PoolState(NamedTuple):
    """Connections of one pool to a database."""

    in_use: int
    kept: int
    overflow: int
    most: int


def pool_state(database: Database) -> PoolState:
    """A file of SQLite has a pool too. It counts as overflow what it has not opened yet, below zero."""
    pool = database.engine.pool
    if not isinstance(pool, QueuePool):
        return PoolState(0, 0, 0, 0)
    return PoolState(pool.checkedout(), pool.size(), max(0, pool.overflow()), pool.size() + database.overflow)


def gauge_by_service(name: str, says: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=["service"])


def file_of(database: Database) -> Path | None:
    """SQLite's main file; None for PostgreSQL."""
    name = make_url(database.url).database if database.dialect == "sqlite" else None
    return Path(name) if name else None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


class BuildInfo(Collector):
    """Which version runs here, on which Python."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "clerk_build", "What runs here.", {"version": VERSION, "python": platform.python_version()}
        )


def metrics_registry(participants: Sequence[Participant], more: Sequence[Collector] = ()) -> CollectorRegistry:
    """A registry of this process's participants only, and of what `more` tells of this process."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types for it
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    own = [collector for each in participants for collector in each.collectors]
    for collector in (BuildInfo(), ParticipantFigures(participants), *own, *more):
        registry.register(collector)
    return registry

"""Reads what servers and contestants have used so far; two readings make the figures of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any

import psycopg2

from benchmarks.figures import Figures
from benchmarks.processor_time import read_processes, tree_seconds
from scenario_tests.servers import Servers
from scenario_tests.servers.postgres import PostgresCluster
from scenario_tests.servers.rabbit import RabbitNode

STATISTICS_AFTER = 1.2
"""Seconds after which PostgreSQL's counters hold what its idle processes did."""
Pids = Callable[[], Mapping[str, Sequence[int]]]
"""The processes of a contestant by name, each with all below it."""
_never = Event()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used so far: seconds by process, bytes of write-ahead log, and a contestant's own counters."""

    at: float
    seconds: Mapping[str, float]
    wal: float
    counters: Mapping[str, float]


class Meter:
    """Of one contestant on these servers. `counters` are those that it keeps itself; `servers` None: it uses none."""

    def __init__(self, servers: Servers | None, pids: Pids, counters: Callable[[], Mapping[str, float]] = dict) -> None:
        self._servers = servers
        self._pids = pids
        self._counters = counters

    def read(self) -> Reading:
        processes = read_processes()
        groups = {**self._pids(), **(server_pids(self._servers) if self._servers else {})}
        seconds = {name: sum(tree_seconds(pid, processes) for pid in pids) for name, pids in groups.items()}
        return Reading(monotonic(), seconds, self._wal_bytes(), self._counters())

    def commits(self) -> float:
        """Transactions that PostgreSQL has committed so far."""
        if self._servers is None:
            return 0.0
        _never.wait(STATISTICS_AFTER)
        return self._ask("SELECT sum(xact_commit) FROM pg_stat_database WHERE datname IS NOT NULL")

    def _wal_bytes(self) -> float:
        return self._ask("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")

    def _ask(self, question: str) -> float:
        if self._servers is None:
            return 0.0
        with session(self._servers.admin_url) as cursor:
            cursor.execute(question)
            return float(cursor.fetchone()[0])


def server_pids(servers: Servers) -> dict[str, Sequence[int]]:
    """Of the servers that are ours; others cannot be measured."""
    broker = servers.broker.pid if isinstance(servers.broker, RabbitNode) else None
    database = servers.postgres.pid if isinstance(servers.postgres, PostgresCluster) else None
    return {name: [pid] for name, pid in (("broker", broker), ("database", database)) if pid is not None}


def used(before: Reading, after: Reading, orders: int) -> Figures:
    """What each order cost between the two readings: `cpu_ms.…` of processor time, `wal_kb`, `per_order.…`."""
    spent = {name: (after.seconds[name] - before.seconds.get(name, 0)) * 1000 / orders for name in after.seconds}
    shared = {name: spent.pop(name) for name in ("broker", "database") if name in spent}
    figures = {"cpu_ms.ours": sum(spent.values())}
    figures |= {f"cpu_ms.{name}": value for name, value in (shared | (spent if len(spent) > 1 else {})).items()}
    if after.wal:
        figures["wal_kb"] = (after.wal - before.wal) / orders / 1024
    for name, value in after.counters.items():
        figures[f"per_order.{name}"] = (value - before.counters.get(name, 0)) / orders
    return figures


@contextmanager
def session(admin_url: str) -> Iterator[Any]:
    """A cursor that commits each statement."""
    connection = psycopg2.connect(admin_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()

"""How long steps took in the last hours, each that was answered: from the counts by hour (engine/step_hours.py).

A percentile is the middle of its bucket, and right within 8 %; what it costs grows with the hours, not with the orders.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, func, select

from domain.times import to_wire
from messaging.database import Tx
from shop_manager.engine.step_hours import HOUR, WHOLE, milliseconds_of, table
from shop_manager.processes import ProcessRegistry

TURNS = ("customer", "service", "warehouse")
c = table.c
Buckets = Counter[int]


def step_times(tx: Tx, processes: ProcessRegistry, since: int) -> dict[str, Any]:
    """From the full hour of `since` on: `{step_times_since: null|when, step_times: [{process, step, count, p50_ms,
    p95_ms, turns: [{turn, count, p50_ms, p95_ms}]}]}`.

    A whole step is from the answer before to its own; `turns` say how long each who had the turn took for an answer,
    or until they passed it on. `step_times_since`: the first hour that was counted.
    """
    found: dict[tuple[str, str], dict[str, Buckets]] = defaultdict(lambda: defaultdict(Counter))
    first = None
    rows: Iterable[Any] = tx.execute(by_bucket(since))
    for process, step, turn, bucket, count, hour in rows:
        found[process, step][turn][bucket] += int(count)
        first = hour if first is None else min(first, hour)
    return {
        "step_times_since": None if first is None else to_wire(max(since, first)),
        "step_times": [
            {"process": reference, "step": step, **_percentiles(turns[WHOLE]), "turns": _turns(turns)}
            for reference, process in processes.by_reference.items()
            for step in process.names
            if (turns := found[reference, step])
        ],
    }


def by_bucket(since: int) -> Select[Any]:
    by = (c.process, c.step, c.turn, c.bucket)
    sums = (func.sum(c["count"]), func.min(c.hour))
    return select(*by, *sums).where(c.hour >= since - since % HOUR).group_by(*by)


def _turns(turns: Mapping[str, Buckets]) -> list[dict[str, Any]]:
    return [{"turn": turn, **_percentiles(turns[turn])} for turn in TURNS if turn in turns]


def _percentiles(buckets: Buckets) -> dict[str, int]:
    return {"count": buckets.total(), "p50_ms": _part(buckets, 50), "p95_ms": _part(buckets, 95)}


def _part(buckets: Buckets, percent: int) -> int:
    """The nearest-rank percentile; 0 of nothing."""
    left = -(-buckets.total() * percent // 100)
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return milliseconds_of(bucket)
    return 0

"""The figures of the last hours: opened and ended, how many reach each step, and how long steps take.

Opens and ends come from the tallies; the rest from the latest SAMPLE Clerks, so no figure costs more in a larger shop.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select

from domain.times import hours, minutes, to_wire
from messaging.database import Tx
from shop_manager.engine.tables import clerks, history, operations_schema
from shop_manager.operations.tallies import OPENED, counted_since
from shop_manager.processes import ProcessRegistry

SAMPLE = 500
BARS = 48
LONGEST = 168
"""Hours that can be looked back."""
columns, table = clerks.c, operations_schema.tallies


def figures(tx: Tx, processes: ProcessRegistry, back: int, now: int) -> dict[str, Any]:
    """Of the last `back` hours (1 to LONGEST):

    `{since, now, bucket_seconds, throughput: [{at, opened, ended: {status: count}}], ends: [{process, status, count}],
    sampled, funnel: [{process, steps: [{step, asked, done}]}], step_times: [{process, step, count, p50_ms, p95_ms}]}`.
    `sampled` says how many Clerks funnel and step times are of: the latest ones opened in that time, at most SAMPLE.
    """
    since = now - hours(back)
    counted = _counted(tx, since, now)
    sample = _sample(tx, since)
    return {
        **_over_time(counted, since, now),
        "ends": _ends(counted),
        "sampled": len(sample),
        "funnel": _funnel(sample, processes),
        "step_times": _step_times(tx, sample, processes),
    }


def opens_and_ends(tx: Tx, back: int, now: int) -> dict[str, Any]:
    """The cheap part of `figures`: `since`, `now`, `bucket_seconds` and `throughput`."""
    since = now - hours(back)
    return _over_time(_counted(tx, since, now), since, now)


def _over_time(counted: Sequence[tuple[int, str, str, int]], since: int, now: int) -> dict[str, Any]:
    return {
        "since": to_wire(since),
        "now": to_wire(now),
        "bucket_seconds": _bucket(since, now) // 1000,
        "throughput": _throughput(counted, since, now),
    }


def _bucket(since: int, now: int) -> int:
    return max(minutes(1), (now - since) // BARS)


def _counted(tx: Tx, since: int, now: int) -> list[tuple[int, str, str, int]]:
    """(index of the bar, process, what, count), added up by the database: a week has tens of thousands of tallies."""
    return counted_since(tx, since, now, _bucket(since, now))


def _throughput(counted: Sequence[tuple[int, str, str, int]], since: int, now: int) -> list[dict[str, Any]]:
    starts = range(since, now, _bucket(since, now))
    opened: Counter[int] = Counter()
    ended: dict[int, Counter[str]] = defaultdict(Counter)
    for index, _, what, count in counted:
        if what == OPENED:
            opened[index] += count
        else:
            ended[index][what] += count
    return [
        {"at": to_wire(at), "opened": opened[index], "ended": dict(sorted(ended[index].items()))}
        for index, at in enumerate(starts)
    ]


def _ends(counted: Sequence[tuple[int, str, str, int]]) -> list[dict[str, Any]]:
    sums: Counter[tuple[str, str]] = Counter()
    for _, process, what, count in counted:
        if what != OPENED:
            sums[process, what] += count
    return [{"process": process, "status": what, "count": count} for (process, what), count in sorted(sums.items())]


def _sample(tx: Tx, since: int) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(id, process, state) of the latest Clerks."""
    rows: Iterable[Any] = tx.execute(
        select(columns.id, columns.process, columns.state)
        .where(columns.opened_at >= since)
        .order_by(columns.opened_at.desc(), columns.id.desc())
        .limit(SAMPLE)
    )
    return [(clerk, process, orjson.loads(state)) for clerk, process, state in rows]


def _funnel(sample: Sequence[tuple[str, str, Mapping[str, Any]]], processes: ProcessRegistry) -> list[dict[str, Any]]:
    asked: Counter[tuple[str, str]] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    for _, process, state in sample:
        steps = state["steps"]  # in the order in which they were asked: what is behind a step tells that it was done
        for index, (step, progress) in enumerate(steps.items(), start=1):
            asked[process, step] += 1
            done[process, step] += progress[0] == "done" or index < len(steps)
    return [
        {"process": reference, "steps": [
            {"step": step, "asked": asked[reference, step], "done": done[reference, step]} for step in process.names
        ]}
        for reference, process in processes.by_reference.items()
        if any(asked[reference, step] for step in process.names)
    ]  # fmt: skip


def _step_times(
    tx: Tx, sample: Sequence[tuple[str, str, Mapping[str, Any]]], processes: ProcessRegistry
) -> list[dict[str, Any]]:
    process_of = {clerk: process for clerk, process, _ in sample}
    took: dict[tuple[str, str], list[int]] = defaultdict(list)
    first_asked: dict[tuple[str, str], int] = {}
    for clerk, at, what, step in _moments(tx, list(process_of)):
        if what == "asked":
            first_asked.setdefault((clerk, step), at)
        elif (clerk, step) in first_asked:
            took[process_of[clerk], step].append(at - first_asked[clerk, step])
    return [
        {
            "process": reference,
            "step": step,
            "count": len(times),
            "p50_ms": _part(times, 50),
            "p95_ms": _part(times, 95),
        }
        for reference, process in processes.by_reference.items()
        for step in process.names
        if (times := sorted(took[reference, step]))
    ]


def _moments(tx: Tx, ids: Sequence[str]) -> Iterable[Any]:
    wanted = history.c.clerk.in_(ids) & history.c.what.in_(("asked", "done"))
    narrow = select(history.c.clerk, history.c.at, history.c.what, history.c.step).where(wanted)
    return tx.execute(narrow.order_by(history.c.clerk, history.c.number))


def _part(times: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile of sorted times."""
    return times[max(0, -(-len(times) * percent // 100) - 1)]

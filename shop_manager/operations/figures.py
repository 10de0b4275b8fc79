"""The figures of the last hours: opened and ended, how many reach each step, how long steps take, what became stuck.

Opens and ends come from the tallies, step times from counts by hour, how far they came from the latest SAMPLE Clerks:
no figure costs more in a larger shop.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select

from domain.times import hours, minutes, to_wire
from messaging.database import Tx
from shop_manager.engine.tables import clerks, operations_schema
from shop_manager.operations.step_times import step_times
from shop_manager.operations.stuck_hours import stuck_hours
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
    sampled, funnel: [{process, steps: [{step, asked, done}]}], step_times_since, step_times, stuck}`.
    `sampled` says how many Clerks the funnel is of: the latest ones opened in that time, at most SAMPLE. The others are
    of all: see step_times.py and stuck_hours.py.
    """
    since = now - hours(back)
    counted = _counted(tx, since, now)
    sample = _sample(tx, since)
    return {
        **_over_time(counted, since, now),
        "ends": _ends(counted),
        "sampled": len(sample),
        "funnel": _funnel(sample, processes),
        **step_times(tx, processes, since),
        "stuck": stuck_hours(tx, since, now, steps_of(processes)),
    }


def steps_of(processes: ProcessRegistry) -> list[str]:
    """The steps of all processes, each once, in their order."""
    return list(dict.fromkeys(name for process in processes.by_reference.values() for name in process.names))


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

"""What each chart and table on the page of figures shows; the numbers are those of `/ops/figures`. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shop_manager.dashboard.labels import label_of
from shop_manager.dashboard.plots import Bar, LinePlot, bars, line_plot

BAR_WIDTH = 400.0
ENDS = ("completed", "failed", "expired", "canceled")


class BarRow(NamedTuple):
    """A bar with its name, and its numbers as texts."""

    name: str
    parts: list[Bar]
    numbers: Sequence[str]


class ProcessBars(NamedTuple):
    """One bar for each step of a process."""

    process: str
    rows: list[BarRow]


class Throughput(NamedTuple):
    """`rows`: (when, opened, ended); `opened` and `ended` in all."""

    plot: LinePlot
    rows: list[tuple[str, int, int]]
    opened: int
    ended: int


def throughput(buckets: Sequence[Mapping[str, Any]], hours: int) -> Throughput:
    """Sessions opened and ended over time."""
    rows = [(each["at"], each["opened"], sum(each["ended"].values())) for each in buckets]
    moments = [_moment(at, hours) for at, _, _ in rows]
    plot = line_plot([[row[1] for row in rows], [row[2] for row in rows]], moments)
    return Throughput(plot, rows, sum(row[1] for row in rows), sum(row[2] for row in rows))


def _moment(at: str, hours: int) -> str:
    """`14:20`; with the day in front when the figures are of more than a day."""
    return at[11:16] if hours <= 24 else f"{at[5:10]} {at[11:16]}"


def ends(found: Iterable[Mapping[str, Any]]) -> list[BarRow]:
    """How the Clerks of each process ended; parts and numbers in the order of ENDS."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for each in found:
        counts[each["process"]][each["status"]] = each["count"]
    values = [[by.get(status, 0) for status in ENDS] for by in counts.values()]
    numbers = [[str(value) for value in row] for row in values]
    return [BarRow(*each) for each in zip(counts, bars(values, BAR_WIDTH), numbers, strict=True)]


def funnel(found: Iterable[Mapping[str, Any]]) -> list[ProcessBars]:
    """How many Clerks came to each step, and how many got through it; all bars of a process to one scale."""
    return [ProcessBars(each["process"], _funnel_rows(each["steps"])) for each in found]


def _funnel_rows(steps: Sequence[Mapping[str, Any]]) -> list[BarRow]:
    drawn = bars([[step["done"], step["asked"] - step["done"]] for step in steps], BAR_WIDTH)
    return [
        BarRow(step["step"], parts, (str(step["asked"]), str(step["done"]), _share(step["done"], step["asked"])))
        for step, parts in zip(steps, drawn, strict=True)
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part // whole} %" if whole else ""


def step_times(found: Iterable[Mapping[str, Any]]) -> list[ProcessBars]:
    """Median and 95th percentile of each step; the bars of a process to one scale, the second part up to p95."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in found:
        groups[each["process"]].append(each)
    return [ProcessBars(process, _time_rows(steps)) for process, steps in groups.items()]


def _time_rows(steps: Sequence[Mapping[str, Any]]) -> list[BarRow]:
    drawn = bars([[step["p50_ms"], step["p95_ms"] - step["p50_ms"]] for step in steps], BAR_WIDTH)
    return [
        BarRow(step["step"], parts, (lasted(step["p50_ms"]), lasted(step["p95_ms"]), str(step["count"])))
        for step, parts in zip(steps, drawn, strict=True)
    ]


def lasted(milliseconds: int) -> str:
    """`12 ms`, `1.2 s`, `14.0 min`, `2.5 h`."""
    for size, unit in ((3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if milliseconds >= size:
            return f"{milliseconds / size:.1f} {unit}"
    return f"{milliseconds} ms"


def end_words() -> list[tuple[str, str]]:
    """(CSS class of its colour, name) of each end, for the legend."""
    return [(f"bar-{index + 2}", label_of("status", status).name) for index, status in enumerate(ENDS)]

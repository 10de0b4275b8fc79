"""What each chart and table on the page of figures shows; the numbers are those of `/ops/figures`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from domain.times import from_wire, hours, seconds, to_wire
from shop_manager.dashboard.labels import label_of
from shop_manager.dashboard.plots import Bar, LinePlot, bars, line_plot, places
from shop_manager.dashboard.query_parameters import address

BAR_WIDTH = 400.0
ENDS = ("completed", "failed", "expired", "canceled")
TURNS = ("customer", "service", "warehouse")


class BarRow(NamedTuple):
    """A bar with its name, and its numbers as texts."""

    name: str
    parts: list[Bar]
    numbers: Sequence[str]


class ProcessBars(NamedTuple):
    """One bar for each step of a process."""

    process: str
    rows: list[BarRow]


class Stretch(NamedTuple):
    """A point of the chart, and its line in the table. `href`: the orders that were opened then, empty when none was.

    `x` and `width`: where it can be pointed at in the chart.
    """

    at: str
    opened: int
    ended: int
    href: str
    says: str
    x: float
    width: float


class Throughput(NamedTuple):
    """`opened` and `ended` in all."""

    plot: LinePlot
    rows: list[Stretch]
    opened: int
    ended: int


def throughput(found: Mapping[str, Any], back: int) -> Throughput:
    """Sessions opened and ended over time; `back` hours of it."""
    buckets, width = found["throughput"], seconds(found["bucket_seconds"])
    counts = [(each["opened"], sum(each["ended"].values())) for each in buckets]
    moments = [_moment(each["at"], back) for each in buckets]
    plot = line_plot(
        [[opened for opened, _ in counts], [ended for _, ended in counts]], moments, [each["at"] for each in buckets]
    )
    rows = [
        _stretch(each["at"], width, count, place)
        for each, count, place in zip(buckets, counts, places(len(buckets)), strict=True)
    ]
    return Throughput(plot, rows, sum(row.opened for row in rows), sum(row.ended for row in rows))


def _stretch(at: str, width: int, count: tuple[int, int], place: Bar) -> Stretch:
    opened, ended = count
    begin = from_wire(at)
    window = {"created_after": to_wire(begin - 1), "created_before": to_wire(begin + width)}
    href = address("/dashboard/clerks", window) if opened else ""
    return Stretch(at, opened, ended, href, f"{_moment(at, 48)} UTC: {opened} opened, {ended} ended", *place)


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
    """Median and 95th percentile of each step, and of each who had the turn; the bars of a process to one scale, the
    second part up to p95. The numbers: p50, p95, how many, then the median and p95 of each of TURNS.
    """
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in found:
        groups[each["process"]].append(each)
    return [ProcessBars(process, _time_rows(steps)) for process, steps in groups.items()]


def _time_rows(steps: Sequence[Mapping[str, Any]]) -> list[BarRow]:
    drawn = bars([[step["p50_ms"], step["p95_ms"] - step["p50_ms"]] for step in steps], BAR_WIDTH)
    return [BarRow(step["step"], parts, _time_numbers(step)) for step, parts in zip(steps, drawn, strict=True)]


def _time_numbers(step: Mapping[str, Any]) -> list[str]:
    whole = (lasted(step["p50_ms"]), lasted(step["p95_ms"])) if step["count"] else ("", "")
    turns = {each["turn"]: f"{lasted(each['p50_ms'])}, {lasted(each['p95_ms'])}" for each in step["turns"]}
    return [*whole, str(step["count"]), *(turns.get(turn, "") for turn in TURNS)]


class HeatCell(NamedTuple):
    """`level` is how dark: 0 for none, 4 for the most on the page. `href` leads to what became stuck then.

    `says` is `what` with its stretch of time, from `begin` to `end`.
    """

    orders: int
    level: int
    href: str
    says: str
    what: str
    begin: str
    end: str


class HeatColumn(NamedTuple):
    """The hours that begin `at`. `day` is empty when it is that of the column before."""

    day: str
    hour: str
    at: str


class HeatRow(NamedTuple):
    step: str
    cells: list[HeatCell]
    total: int


class Heat(NamedTuple):
    """Step by hour."""

    columns: list[HeatColumn]
    rows: list[HeatRow]
    hours: int


def heat(found: Mapping[str, Any]) -> Heat:
    """How many became stuck at each step in each stretch of hours."""
    begins: list[str] = found["at"]
    days = [at[5:10] for at in begins]
    first_of_day = [day if not index or days[index - 1] != day else "" for index, day in enumerate(days)]
    columns = [HeatColumn(day, at[11:13], at) for day, at in zip(first_of_day, begins, strict=True)]
    ends = [to_wire(from_wire(at) + hours(found["hours"])) for at in begins]
    most = max((count for each in found["steps"] for count in each["counts"]), default=0)
    rows = [
        HeatRow(
            each["step"],
            [
                _heat_cell(each["step"], count, most, span)
                for count, span in zip(each["counts"], zip(begins, ends, strict=True), strict=True)
            ],
            sum(each["counts"]),
        )
        for each in found["steps"]
    ]
    return Heat(columns, rows, found["hours"])


def _heat_cell(step: str, count: int, most: int, span: tuple[str, str]) -> HeatCell:
    begin, end = span
    href = address("/dashboard/activity", {"kind": "stuck", "step": step, "since": begin, "until": end})
    what = f"{count} became stuck at {step}"
    says = f"{what}, {begin[5:10]} {begin[11:16]} to {end[11:16]} UTC"
    return HeatCell(count, -(-4 * count // most) if most else 0, href, says, what, begin, end)


def lasted(milliseconds: int) -> str:
    """`12 ms`, `1.2 s`, `14.0 min`, `2.5 h`."""
    for size, unit in ((3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if milliseconds >= size:
            return f"{milliseconds / size:.1f} {unit}"
    return f"{milliseconds} ms"


def end_words() -> list[tuple[str, str]]:
    """(CSS class of its colour, name) of each end, for the legend."""
    return [(f"bar-{index + 2}", label_of("status", status).name) for index, status in enumerate(ENDS)]

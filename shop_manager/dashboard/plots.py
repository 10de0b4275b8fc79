"""The geometry of the SVG charts on the page of figures: lines over time, and bars. Pure.

All lengths are in units of the view box. The page shows the same numbers in a table beside each chart.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 720
HEIGHT = 180
LEFT = 44
BOTTOM = 22
TOP = 10
LETTER, GAP = 7, 50
"""How wide a letter of a label is at most, and how far apart labels are at least."""
_NICE = (1, 2, 5, 10)


class Tick(NamedTuple):
    """A line of the grid, and its label. `at`: the moment (RFC 3339) that a label of the time axis is of."""

    place: float
    label: str
    at: str = ""


class LinePlot(NamedTuple):
    """`lines` are the `points` of polylines, one for each series; `across` the grid lines, `along` the time axis."""

    lines: list[str]
    across: list[Tick]
    along: list[Tick]


class Bar(NamedTuple):
    """A part of a bar: where it begins and how long it is."""

    x: float
    width: float


def line_plot(series: Sequence[Sequence[float]], moments: Sequence[str], at: Sequence[str] = ()) -> LinePlot:
    """Several series, each as long as `moments`, the labels of the time axis; all to one scale that starts at 0.

    `at`: the moments themselves.
    """
    top = nice_top(max((value for values in series for value in values), default=0))
    count = len(moments)
    lines = [
        " ".join(f"{_along(index, count):.1f},{_up(value, top):.1f}" for index, value in enumerate(values))
        for values in series
    ]
    across = [Tick(_up(value, top), f"{value:g}") for value in (0, top / 2, top)]
    widest = max((len(moment) for moment in moments), default=0)
    labels = max(1, int((WIDTH - LEFT) / (LETTER * widest + GAP))) if widest else 1
    every = max(1, -(-count // min(6, labels - 1 or 1)))
    ticks = [Tick(_along(index, count), moments[index], at[index] if at else "") for index in range(0, count, every)]
    along = [*ticks[:1], *(tick for tick in ticks[1:] if tick.place + LETTER * widest / 2 <= WIDTH)]
    return LinePlot(lines, across, along)


def places(count: int) -> list[Bar]:
    """Where each of so many points of a line can be pointed at: strips that leave nothing out between them."""
    if not count:
        return []
    middles = [_along(index, count) for index in range(count)]
    edges = [LEFT, *((one + next_one) / 2 for one, next_one in itertools.pairwise(middles)), WIDTH]
    return [Bar(round(begin, 1), round(end - begin, 1)) for begin, end in itertools.pairwise(edges)]


def bars(parts: Sequence[Sequence[float]], width: float) -> list[list[Bar]]:
    """A stacked bar for each row of values; the longest bar fills the width."""
    longest = max((sum(row) for row in parts), default=0)
    return [_row(row, width / longest if longest else 0) for row in parts]


def _row(values: Sequence[float], scale: float) -> list[Bar]:
    row, x = [], 0.0
    for value in values:
        row.append(Bar(round(x, 1), round(value * scale, 1)))
        x += value * scale
    return row


def nice_top(most: float) -> float:
    """The next larger number that is 1, 2 or 5 times a power of ten."""
    size = 1.0
    while size * 10 < most:
        size *= 10
    return next(size * factor for factor in _NICE if size * factor >= most)


def _along(index: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT) * (index / (count - 1) if count > 1 else 0.5)


def _up(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)

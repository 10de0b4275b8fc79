"""Numbers turned into places on a drawing, for the SVG of figures.html: lines over time, and bars. Pure.

Everything is in the units of the drawing's own view box; what a drawing says also stands in a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 720
HEIGHT = 180
LEFT = 44
BOTTOM = 22
TOP = 10
_NICE = (1, 2, 5, 10)


class Tick(NamedTuple):
    """A line across with its value in words."""

    place: float
    label: str


class LinePlot(NamedTuple):
    """`lines` are the `points` of polylines, in the order of what was given; `across` and `along` the two axes."""

    lines: list[str]
    across: list[Tick]
    along: list[Tick]


class Bar(NamedTuple):
    """A part of a bar: where it begins and how long it is."""

    x: float
    width: float


def line_plot(series: Sequence[Sequence[float]], moments: Sequence[str]) -> LinePlot:
    """Some series of the same length as `moments`, which name the places along; drawn to one scale that starts at 0."""
    top = nice_top(max((value for values in series for value in values), default=0))
    count = len(moments)
    lines = [
        " ".join(f"{_along(index, count):.1f},{_up(value, top):.1f}" for index, value in enumerate(values))
        for values in series
    ]
    across = [Tick(_up(value, top), f"{value:g}") for value in (0, top / 2, top)]
    every = max(1, -(-count // 6))
    along = [Tick(_along(index, count), moments[index]) for index in range(0, count, every)]
    return LinePlot(lines, across, along)


def bars(parts: Sequence[Sequence[float]], width: float) -> list[list[Bar]]:
    """A row of parts that follow each other, for each of the given rows; the longest row fills the width."""
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

"""Figures over time as lines of inline SVG: where the points are. Pure; a template draws them, with a table."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 960, 90
"""In the drawing's own units; it is scaled to the page."""
MARGIN = 4


def line(values: Sequence[float], most: float) -> str:
    """The points of an SVG polyline, from left to right, `most` at the top; a flat line when there is nothing."""
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    scale = (HEIGHT - 2 * MARGIN) / (most or 1)
    points = [(MARGIN + index * step, HEIGHT - MARGIN - value * scale) for index, value in enumerate(values)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

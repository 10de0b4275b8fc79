"""The small line chart of the home page: figures over time as points of an SVG polyline. Pure."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 960, 90
"""In the view box's own units; the browser scales it to the page."""
MARGIN = 4


def polyline(values: Sequence[float], most: float) -> str:
    """The points from left to right, `most` at the top; a flat line when every value is 0."""
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    scale = (HEIGHT - 2 * MARGIN) / (most or 1)
    points = [(MARGIN + index * step, HEIGHT - MARGIN - value * scale) for index, value in enumerate(values)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

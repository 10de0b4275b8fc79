"""A bar chart as SVG, readable on dark and on light pages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.text_table import number

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 760, 34, 190, 150, 48, 14
STYLE = """\
    text { font: 14px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; }
    .value { font-variant-numeric: tabular-nums; }
    .bar { fill: #8c959f; }
    .ours { fill: #1a7f37; }
    .spread { stroke: #1f2328; stroke-width: 1.5; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .bar { fill: #6e7681; }
      .ours { fill: #3fb950; }
      .spread { stroke: #e6edf3; }
    }"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A contestant's median with its spread; `ours` stands out."""

    name: str
    median: float
    low: float
    high: float
    ours: bool = False


def bar_chart(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """An SVG document; ValueError of no bars."""
    if not bars:
        raise ValueError("there is nothing to draw")
    most = max(bar.high for bar in bars) or 1.0
    height = TOP + ROW * len(bars) + BOTTOM
    scale = (WIDTH - LEFT - RIGHT) / most
    rows = [_row(bar, TOP + ROW * index, scale, unit) for index, bar in enumerate(bars)]
    words = ", ".join(f"{bar.name} {number(bar.median)}" for bar in bars)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"  <title>{escape(title)}: {escape(words)} {escape(unit)}</title>",
            f"  <style>\n{STYLE}\n  </style>",
            f'  <text class="title" x="12" y="26">{escape(title)}</text>',
            *rows,
            "</svg>",
            "",
        ]
    )


def _row(bar: Bar, y: int, scale: float, unit: str) -> str:
    middle, width = y + ROW / 2, bar.median * scale
    parts = [
        f'  <text x="{LEFT - 10}" y="{middle + 5:.0f}" text-anchor="end">{escape(bar.name)}</text>',
        f'  <rect class="bar{" ours" if bar.ours else ""}" x="{LEFT}" y="{y + 6}" width="{max(width, 1):.1f}" '
        f'height="{ROW - 12}" rx="3"/>',
    ]
    if bar.high > bar.low:
        parts.append(
            f'  <line class="spread" x1="{LEFT + bar.low * scale:.1f}" x2="{LEFT + bar.high * scale:.1f}" '
            f'y1="{middle:.0f}" y2="{middle:.0f}"/>'
        )
    end = LEFT + max(bar.high, bar.median) * scale + 8
    parts.append(f'  <text class="value" x="{end:.1f}" y="{middle + 5:.0f}">{number(bar.median)} {escape(unit)}</text>')
    return "\n".join(parts)

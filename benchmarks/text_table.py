"""Tables for a terminal and for Markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def text_table(header: Row, rows: Sequence[Row]) -> str:
    """Columns side by side: the first one to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """The same as Markdown; `|` in a cell is escaped."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in (header, marks, *rows)
    )


def number(value: float) -> str:
    """With as many digits as it is worth: `198`, `12.3`, `0.45`."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_spread(median: float, low: float, high: float) -> str:
    """`198 (190–204)`; the median alone where there is no spread."""
    return number(median) if low == high else f"{number(median)} ({number(low)}–{number(high)})"

"""How results are printed: for people with rich, for programs as JSON. NO_COLOR is respected."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from clerk_cli.errors import one_line

WIDE = 10_000
"""Columns when the output is no terminal: a line in a file or pipe is never folded."""


def console() -> Console:
    """Standard output for people; plain when it is no terminal or NO_COLOR is set."""
    return Console(highlight=False, soft_wrap=True) if sys.stdout.isatty() else Console(highlight=False, width=WIDE)


def print_json(content: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=True) + "\n")


def plain(text: object, style: str = "") -> Text:
    """Text from outside, made harmless: no markup, no control characters."""
    return Text(one_line(str(text)), style=style)


def grid(*columns: str) -> Table:
    """An empty table with these headings."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


@contextmanager
def progress_bar(as_json: bool) -> Iterator[Progress]:
    """A progress bar for people at a terminal; results go to standard output as always."""
    shown = Console(stderr=True) if as_json or not sys.stdout.isatty() else console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        yield bar

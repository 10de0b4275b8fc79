"""The list of Clerks as a CSV or JSON file: at most MOST lines, and no cell that a spreadsheet would execute (S10)."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

import orjson

from domain.visible_text import shown

MOST = 10_000
"""Lines of one file."""
PAGE = 200
COLUMNS = (
    "id", "status", "stuck_kind", "stuck_since", "stuck_service", "stuck_code", "step", "waiting_for", "process",
    "shop", "customer", "total", "currency", "created_at", "updated_at", "next_wake_at", "version",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NextPage = Callable[[str | None], Mapping[str, Any]]
"""cursor → a page of lines."""


def as_csv(pages: NextPage) -> Iterator[bytes]:
    """UTF-8 with a header line; a text that a spreadsheet would take for a formula gets an apostrophe in front.

    A character that nobody sees stands there by its number, as on the pages.
    """
    yield _csv_line(COLUMNS)
    for line in _lines(pages):
        yield _csv_line([_cell(line, column) for column in COLUMNS])


def as_json_lines(pages: NextPage) -> Iterator[bytes]:
    """One JSON object `{"data": […]}`, each line as in the list."""
    before = b'{"data":['
    for line in _lines(pages):
        yield before + orjson.dumps(line)
        before = b",\n"
    yield (before if before.startswith(b"{") else b"") + b"]}\n"


def _lines(pages: NextPage) -> Iterator[Mapping[str, Any]]:
    cursor: str | None = None
    count = 0
    while count < MOST:
        page = pages(cursor)
        yield from page["data"][: MOST - count]
        count += len(page["data"])
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _cell(line: Mapping[str, Any], column: str) -> str:
    value = (line["stuck"] or {}).get(column[6:]) if column.startswith("stuck_") else line[column]
    if not isinstance(value, str):
        return "" if value is None else str(value)
    begins = unicodedata.normalize("NFKC", value.lstrip(" ")[:1])  # a wide `＝` begins a formula too
    text = shown(value, keep="")
    return f"'{text}" if begins.startswith(_FORMULA) else text


def _csv_line(cells: Any) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()

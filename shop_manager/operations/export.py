"""The list of Clerks as a CSV or JSON file: all of it, and no cell that a spreadsheet would execute (S10).

One page is held at a time, and the next one is read when the one before was taken. What breaks meanwhile leaves the
file without an end: the last chunk of the HTTP answer is missing, and of JSON the last bracket (docs/decisions/137).
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

import orjson

from domain.money import decimal
from domain.visible_text import shown

PAGE = 500
"""Lines that are read, and sent, at once."""
COLUMNS = (
    "id", "status", "stuck_kind", "stuck_since", "stuck_service", "stuck_code", "step", "waiting_for", "process",
    "shop", "customer", "total", "currency", "created_at", "updated_at", "next_wake_at", "version",
    "client_reference", "amount", "claimed_by",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NextPage = Callable[[str | None], Mapping[str, Any]]
"""cursor → a page of lines."""


def as_csv(pages: NextPage) -> Iterator[bytes]:
    """UTF-8 with a header line; a text that a spreadsheet would take for a formula gets an apostrophe in front.

    A character that nobody sees stands there by its number, as on the pages.
    """
    yield _csv([COLUMNS])
    for lines in _pages_of(pages):
        yield _csv([[_cell(line, column) for column in COLUMNS] for line in lines])


def as_json_lines(pages: NextPage) -> Iterator[bytes]:
    """One JSON object `{"data": […]}`, each line as in the list, with its `amount`."""
    before = b'{"data":['
    for lines in _pages_of(pages):
        yield before + b",\n".join(map(orjson.dumps, lines))
        before = b",\n"
    yield (before if before.startswith(b"{") else b"") + b"]}\n"


def _pages_of(pages: NextPage) -> Iterator[list[dict[str, Any]]]:
    """The pages that have lines."""
    cursor: str | None = None
    while True:
        page = pages(cursor)
        if page["data"]:
            yield [{**line, "amount": _amount(line)} for line in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _amount(line: Mapping[str, Any]) -> str | None:
    """The total as a decimal in its currency: 2590 EUR → `25.90`."""
    return None if line["total"] is None else decimal(line["total"], line["currency"])


def _value(line: Mapping[str, Any], column: str) -> Any:
    if column == "claimed_by":
        return (line["claim"] or {}).get("who")
    return (line["stuck"] or {}).get(column[6:]) if column.startswith("stuck_") else line[column]


def _cell(line: Mapping[str, Any], column: str) -> str:
    value = _value(line, column)
    if not isinstance(value, str):
        return "" if value is None else str(value)
    begins = unicodedata.normalize("NFKC", value.lstrip(" ")[:1])  # a wide `＝` begins a formula too
    text = shown(value, keep="")
    return f"'{text}" if begins.startswith(_FORMULA) else text


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()

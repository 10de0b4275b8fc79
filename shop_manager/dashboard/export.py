"""A list as a file to take away: JSON for programs, CSV for spreadsheets, in which no cell can act (security S10)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Response

from shop_manager.dashboard.shown import plain

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Lines = Sequence[Mapping[str, Any]]


def as_json(lines: Lines, more: bool) -> Response:
    """`{data, has_more}`: the items as `/ops/clerks` has them."""
    return _file("json", "application/json", orjson.dumps({"data": list(lines), "has_more": more}), more)


def as_csv(lines: Lines, more: bool) -> Response:
    """A line each, what is stuck in columns of its own; UTF-8 with the mark that spreadsheets look for."""
    flat = [_flat(line) for line in lines]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]) if flat else ["id"])
    writer.writeheader()
    writer.writerows(flat)
    return _file("csv", "text/csv; charset=utf-8", text.getvalue().encode("utf-8-sig"), more)


def _flat(line: Mapping[str, Any]) -> dict[str, object]:
    stuck = line["stuck"] or {}
    rest = {name: value for name, value in line.items() if name != "stuck"}
    rest |= {f"stuck_{name}": stuck.get(name) for name in ("since", "kind", "service", "code", "detail")}
    return {name: harmless(value) for name, value in rest.items()}


def harmless(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    text = plain(value)
    return f"'{text}" if isinstance(text, str) and text.startswith(_STARTS_A_FORMULA) else text


def _file(kind: str, media_type: str, content: bytes, more: bool) -> Response:
    name = f"clerks-first-of-many.{kind}" if more else f"clerks.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": media_type}
    return Response(content, headers=headers)

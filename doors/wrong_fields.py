"""Pydantic's list of validation errors as one Problem that names every wrong field and shows no secret. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from doors.problems import Problem, WrongField

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HARMLESS = re.compile(r"[A-Za-z0-9 .:+-]{0,40}")
_SECRET = re.compile(r"secret|passw|token|key|auth|card|cookie|cursor|email|name|address|phone", re.IGNORECASE)
_MOST = 100
_SHOWN = 60
"""Characters of a field's name that are shown: it is the caller's text, of any length."""


def wrong_fields(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """`errors` as pydantic gives them (`type`, `loc`, `msg`, `input`); the first 100 of them are named."""
    found = [_wrong(error) for error in errors[:_MOST]]
    if not found:
        return Problem("invalid_request")
    first = found[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem("invalid_request", f"{first['param']}: {first['detail']}{more}", param=first["param"], errors=found)


def _wrong(error: Mapping[str, Any]) -> WrongField:
    return {"param": _param(error["loc"]), "detail": _detail(error)}


def _param(location: Sequence[str | int]) -> str:
    """`("body", "items", 0, "quantity")` → `$.items[0].quantity`; `("query", "limit")` → `limit`."""
    where, *rest = location or ("body",)
    if where != "body":
        return ".".join(str(part)[:_SHOWN] for part in rest) or str(where)
    return "$" + "".join(_step(part) for part in rest)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    short = part[:_SHOWN]
    return f".{short}" if _NAME.fullmatch(short) else f"[{json.dumps(short)}]"


def _detail(error: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "unknown field"
    if kind == "missing":
        return "required, but missing" if len(error["loc"]) > 1 else "a JSON body is required"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{said[:1].lower()}{said[1:300]}{_shown(error)}"


def _shown(error: Mapping[str, Any]) -> str:
    """` (is 5000)` when showing the value can hurt nobody, else nothing."""
    value = error.get("input")
    if any(isinstance(part, str) and _SECRET.search(part) for part in error["loc"]):
        return ""
    if value is None or isinstance(value, bool):
        return f" (is {json.dumps(value)})"
    if isinstance(value, int) and abs(value) < 10**9:
        return f" (is {value})"
    if isinstance(value, str) and _HARMLESS.fullmatch(value):
        return f" (is {value!r})"
    return ""

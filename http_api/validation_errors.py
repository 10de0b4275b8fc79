"""Pydantic's list of validation errors as one Problem that names every wrong field and shows no secret. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from http_api.problems import Problem, WrongField
from http_api.text_patterns import EMAIL, NO_CONTROLS, PRINTABLE, PROVIDER_TEXT, SKU

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HARMLESS = re.compile(r"[A-Za-z0-9 .:+-]{0,40}")
_SECRET = re.compile(r"secret|passw|token|key|auth|card|cookie|cursor|email|name|address|phone", re.IGNORECASE)
_WHOLE = "a whole number, not in quotes,"
_NEEDED = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "dataclass_type"), "a JSON object"),
    **dict.fromkeys(("int_type", "int_from_float"), _WHOLE),
    "int_parsing": "a whole number",
    "list_type": "a JSON list",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
"""What is needed, by pydantic's name of the error."""
_BOUNDS = {
    "greater_than_equal": "at least {ge} is allowed",
    "greater_than": "more than {gt} is allowed",
    "less_than_equal": "at most {le} is allowed",
    "less_than": "less than {lt} is allowed",
    "string_too_short": "a text of at least {min_length} characters is needed",
    "string_too_long": "at most {max_length} characters are allowed",
    "too_short": "at least {min_length} entries are needed",
    "too_long": "at most {max_length} entries are allowed, and there are {actual_length}",
}
"""The same for bounds, filled from the error's own context."""
_PATTERNS = {
    EMAIL: "an address such as ada@example.org",
    NO_CONTROLS: "a text without control characters",
    PRINTABLE: "a text that is not blank and has no control characters",
    SKU: "1 to 64 letters, digits and `.` `_` `-`, the first a letter or digit,",
    PROVIDER_TEXT: "1 to 255 printable ASCII characters without a blank",
}
"""In words, what our patterns of texts allow."""
_MOST = 100
_SHOWN = 60
"""Characters of a field's name that are shown: it is the client's text, of any length."""


def wrong_fields(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """`errors` as pydantic gives them (`type`, `loc`, `msg`, `input`); the first 100 of them are named."""
    found = [_wrong(error) for error in errors[:_MOST]]
    if not found:
        return Problem("invalid_request")
    first = found[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem("invalid_request", f"{first['param']}: {first['detail']}{more}", param=first["param"], errors=found)


def _wrong(error: Mapping[str, Any]) -> WrongField:
    return {"param": param_of(error["loc"]), "detail": detail_of(error)}


def param_of(location: Sequence[str | int]) -> str:
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


def detail_of(error: Mapping[str, Any]) -> str:
    """What is allowed there, and what came (where it may be shown)."""
    kind = error["type"]
    if kind == "extra_forbidden":
        return "unknown field: leave it out, or correct its name"
    if kind == "missing":
        return "required, but missing" if len(error["loc"]) > 1 else "a JSON object is needed as the body"
    return f"{_allowed(kind, error)}{_shown(error)}"


def detail_for_people(error: Mapping[str, Any]) -> str:
    """The same for who has typed it into a form: nobody writes quotes there."""
    return detail_of(error).replace(_WHOLE, "a whole number").replace("a text in quotes", "a text")


def _allowed(kind: str, error: Mapping[str, Any]) -> str:
    context = error.get("ctx") or {}
    if kind in _NEEDED:
        return f"{_NEEDED[kind]} is needed"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    if kind == "literal_error":
        return f"allowed is {context['expected']}"
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return f"{_PATTERNS.get(pattern, f'a text that matches {pattern}')} is needed"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{said[:1].lower()}{said[1:300]}"


def _shown(error: Mapping[str, Any]) -> str:
    """` (is 5000)` when the value can be shown (no secret, short), else nothing."""
    value = error.get("input")
    if any(isinstance(part, str) and _SECRET.search(part) for part in error["loc"]):
        return ""
    if value is None or isinstance(value, bool):
        return f" (is {json.dumps(value)})"
    if isinstance(value, int | float) and abs(value) < 10**9:
        return f" (is {value})"
    if isinstance(value, str) and _HARMLESS.fullmatch(value):
        return f" (is {value!r})"
    if isinstance(value, dict | list):
        return " (is an object)" if isinstance(value, dict) else " (is a list)"
    return ""

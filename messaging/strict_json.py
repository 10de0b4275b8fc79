"""Reads JSON strictly: no key twice in an object, finite numbers, whole numbers of at most 64 bits. Pure."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

WHOLE = 2**63 - 1


class StrictJsonError(ValueError):
    """What is wrong with it, in one sentence that shows nothing of it."""


def read_strictly(text: str) -> Any:
    """The value; StrictJsonError says why it is refused. Deep nesting raises RecursionError."""
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as wrong:
        raise StrictJsonError(f"it is not JSON: line {wrong.lineno}, column {wrong.colno}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJsonError("an object says the same key twice")
    return found


def _constant(_name: str) -> NoReturn:
    raise StrictJsonError("NaN and Infinity are no numbers in JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictJsonError("a number is too large")
    return number


def _integer(text: str) -> int:
    number = int(text) if len(text) <= 20 else WHOLE + 1
    if abs(number) > WHOLE:
        raise StrictJsonError("a whole number has more than 64 bits")
    return number

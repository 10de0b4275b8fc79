"""JSON as we take it: one value a key, finite numbers, texts every database can store, no deep nesting. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from doors.cards import find_card_number

DEPTH = 50
WHOLE = 2**63 - 1
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL has no NUL in a text; half a surrogate pair is no UTF-8


class NotOurJson(ValueError):
    """What is wrong with the body, in one sentence that shows nothing of it."""


def read(raw: bytes) -> Any:
    """The value in a UTF-8 JSON body; NotOurJson says why it is refused."""
    if _depth(raw) > DEPTH:
        raise NotOurJson(f"it is nested deeper than {DEPTH} levels")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise NotOurJson("it is not UTF-8") from None
    except json.JSONDecodeError as wrong:
        raise NotOurJson(f"it is not JSON: line {wrong.lineno}, column {wrong.colno}") from None
    if b"\\u" in raw or b"\x00" in raw:
        _storable(value)
    return value


def holds_card_number(value: Any) -> bool:
    """Looks at every text, key and whole number in a JSON value of at most DEPTH levels."""
    return any(find_card_number(text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        yield str(abs(int(value)))


def _depth(raw: bytes) -> int:
    """How deep it is nested. Counts brackets before anything recurses into them."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH:
        return 0
    deepest = now = 0
    for byte in _TEXTS.sub(b"", raw):
        if byte in b"[{":
            now += 1
            deepest = max(deepest, now)
        elif byte in b"]}":
            now -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotOurJson("an object says the same key twice")
    return found


def _constant(_name: str) -> NoReturn:
    raise NotOurJson("NaN and Infinity are no numbers in JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotOurJson("a number is too large")
    return number


def _integer(text: str) -> int:
    number = int(text) if len(text) <= 20 else WHOLE + 1
    if abs(number) > WHOLE:
        raise NotOurJson("a whole number has more than 64 bits")
    return number


def _storable(value: Any) -> None:
    if any(_UNSTORABLE.search(text) for text in _texts(value)):
        raise NotOurJson("a text holds a NUL or half a surrogate pair")

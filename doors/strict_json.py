"""JSON as we take it: one value a key, finite numbers, texts every database can store, no deep nesting. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from doors.cards import find_card_number
from messaging.strict_json import NotOurJson, strict

__all__ = ["DEPTH", "NotOurJson", "holds_card_number", "read"]

DEPTH = 50
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL has no NUL in a text; half a surrogate pair is no UTF-8


def read(raw: bytes) -> Any:
    """The value in a UTF-8 JSON body; NotOurJson says why it is refused."""
    if _depth(raw) > DEPTH:
        raise NotOurJson(f"it is nested deeper than {DEPTH} levels")
    try:
        value = strict(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotOurJson("it is not UTF-8") from None
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


def _storable(value: Any) -> None:
    if any(_UNSTORABLE.search(text) for text in _texts(value)):
        raise NotOurJson("a text holds a NUL or half a surrogate pair")

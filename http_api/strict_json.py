"""JSON as we accept it: each key once, finite numbers, texts that every database can store, no deep nesting. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from domain.visible_text import is_storable
from messaging.strict_json import StrictJsonError, read_strictly

__all__ = ["DEPTH", "StrictJsonError", "read"]

DEPTH = 50
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


def read(raw: bytes) -> Any:
    """The value in a UTF-8 JSON body; StrictJsonError says why it is refused."""
    if _depth(raw) > DEPTH:
        raise StrictJsonError(f"it is nested deeper than {DEPTH} levels")
    try:
        value = read_strictly(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise StrictJsonError("it is not UTF-8") from None
    if b"\\u" in raw or b"\x00" in raw:
        _storable(value)
    return value


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
    if not all(is_storable(text) for text in _texts(value)):
        raise StrictJsonError("a text holds a NUL or half a surrogate pair")

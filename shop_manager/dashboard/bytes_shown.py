"""The bytes of a bad message, made harmless: as a table of hexadecimal digits, and as bytes again for that. Pure."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

WIDTH = 16
MOST = 4096
"""Bytes that are shown as digits; of the text all that is kept."""
_PRINTABLE = range(0x20, 0x7F)


class Row(NamedTuple):
    """`offset` and `digits` are hexadecimal; in `text` a point stands for what ASCII cannot show."""

    offset: str
    digits: str
    text: str


def bytes_of(parked: Mapping[str, Any]) -> bytes:
    """The bytes that were kept, from `body` and `encoding` as `/ops/parked` has them."""
    return b64decode(parked["body"]) if parked["encoding"] == "base64" else str(parked["body"]).encode()


def hex_rows(body: bytes, most: int = MOST) -> list[Row]:
    """The beginning of the bytes, 16 a row."""
    return list(_rows(body[:most]))


def _rows(body: bytes) -> Iterator[Row]:
    for start in range(0, len(body), WIDTH):
        part = body[start : start + WIDTH]
        text = "".join(chr(each) if each in _PRINTABLE else "." for each in part)
        yield Row(f"{start:06x}", part.hex(" "), text)

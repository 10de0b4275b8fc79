"""The bytes of a parked message as a hex dump, in which nothing can act. Pure."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

WIDTH = 16
MOST = 4096
"""Bytes that are dumped; as text, all kept bytes are shown."""
_PRINTABLE = range(0x20, 0x7F)


class HexRow(NamedTuple):
    """`offset` and `digits` are hexadecimal; in `text` a point stands for each byte that is no printable ASCII."""

    offset: str
    digits: str
    text: str


def bytes_of(parked: Mapping[str, Any]) -> bytes:
    """The bytes that were kept, from `body` and `encoding` as `/ops/parked` has them."""
    return b64decode(parked["body"]) if parked["encoding"] == "base64" else str(parked["body"]).encode()


def hex_rows(body: bytes, most: int = MOST) -> list[HexRow]:
    """The first `most` bytes, 16 a row."""
    return list(_rows(body[:most]))


def _rows(body: bytes) -> Iterator[HexRow]:
    for start in range(0, len(body), WIDTH):
        part = body[start : start + WIDTH]
        text = "".join(chr(each) if each in _PRINTABLE else "." for each in part)
        yield HexRow(f"{start:06x}", part.hex(" "), text)

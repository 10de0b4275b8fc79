"""Looks for card numbers in all parts of a request, each by the rule of its field (security S12). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from http_api.card_fields import (
    BODY,
    BODY_LISTS,
    BODY_OBJECT_LISTS,
    BODY_OBJECTS,
    HEADERS,
    PARAMETERS,
    ids_in_path,
    is_never_kept,
)
from http_api.card_numbers import any_is_card_number, find_card_number, find_in_any, find_in_numbers, may_hold_card
from http_api.number_schemes import is_parcel_number

_MOST_PARAMETERS = 1000
"""A query or form with more of them is looked at like one text."""
_CONTROLS = [f"\\u{code:04x}".encode() for code in range(32)]
_LONG_FRACTION = re.compile(rb"\.[0-9]{13,}")
_BETWEEN_NUMBERS = bytes(code if chr(code) in "0123456789" else ord("x") for code in range(256))


def head_holds_card(headers: Sequence[tuple[bytes, bytes]], path: str, query: bytes) -> bool:
    """`headers` with their names in lower case; `path` without percent-encoding, `query` with it."""
    names = [name for name, _ in headers]
    others = {name for name in set(names) if name not in HEADERS and not is_never_kept(name)}
    identifiers = [value for name, value in headers if name in HEADERS]
    typed = [*names, *(value for name, value in headers if name in others)]
    return _any_holds_card(typed, identifiers) or _path_holds_card(path) or parameters_hold_card(query)


def parameters_hold_card(encoded: bytes) -> bool:
    """In a query, or in the body of an HTML form."""
    if not may_hold_card(encoded):
        return False
    encoded = encoded.replace(b"+", b" ")
    if encoded.count(b"&") >= _MOST_PARAMETERS:
        return find_card_number(as_text(encoded))
    pairs = [pair.partition(b"=") for pair in encoded.split(b"&")]
    identifiers = [value for name, _, value in pairs if name.decode("latin-1") in PARAMETERS]
    typed = [part for name, _, value in pairs if name.decode("latin-1") not in PARAMETERS for part in (name, value)]
    return _any_holds_card(typed, identifiers)


def json_holds_card(value: Any) -> bool:
    """In a body's JSON value, as `strict_json.read` gives it. Takes the value apart: nobody can use it afterwards."""
    if any_is_card_number(_taken_out(value)):
        return True
    parts = _without_escapes(orjson.dumps(value)).split(b'"')
    return find_in_any(_as_texts(parts[1::2])) or _numbers_hold_card(b"x".join(parts[0::2]))


def as_text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _any_holds_card(typed: list[bytes], identifiers: list[bytes]) -> bool:
    return (may_hold_card(b"".join(typed)) and find_in_any(_as_texts(typed))) or (
        may_hold_card(b"".join(identifiers)) and any_is_card_number(_as_texts(identifiers))
    )


def _as_texts(raw: list[bytes]) -> list[str]:
    """Each in its own encoding; all at once where it is the same."""
    try:
        texts = b"\n".join(raw).decode("utf-8").split("\n")
    except UnicodeDecodeError:
        texts = []
    return texts if len(texts) == len(raw) else [as_text(each) for each in raw]


def _path_holds_card(path: str) -> bool:
    identifiers = ids_in_path(path)
    return find_card_number(path) if identifiers is None else any_is_card_number(identifiers)


def _taken_out(value: Any) -> list[str]:
    """The identifiers of a JSON body, which are no longer in it afterwards, without those that are parcel numbers."""
    if not isinstance(value, dict):
        return []
    found = _pop_texts(value, BODY)
    if is_parcel_number(found.get("carrier", ""), found.get("tracking", "")):
        del found["tracking"]
    identifiers = list(found.values())
    for name, fields in BODY_OBJECTS.items():
        if isinstance(inner := value.get(name), dict):
            identifiers += _pop_texts(inner, fields).values()
    for name in BODY_LISTS & value.keys():
        if isinstance(value[name], list):
            identifiers += [each for each in value[name] if isinstance(each, str)]
            value[name] = [each for each in value[name] if not isinstance(each, str)]
    for name, fields in BODY_OBJECT_LISTS.items():
        if isinstance(inner := value.get(name), list):
            objects = [each for each in inner if type(each) is dict]
            for field in fields:
                identifiers += [each.pop(field) for each in objects if type(each.get(field)) is str]
    return identifiers


def _pop_texts(value: dict[str, Any], names: frozenset[str]) -> dict[str, str]:
    return {name: value.pop(name) for name in names & value.keys() if isinstance(value[name], str)}


def _without_escapes(written: bytes) -> bytes:
    r"""JSON as orjson writes it, where `"` now only stands at the ends of texts. `\n` and the like become blanks."""
    if b"\\" not in written:
        return written
    written = written.replace(b"\\\\", b"/").replace(b'\\"', b"'")
    for escape in (b"\\n", b"\\t", b"\\r", b"\\b", b"\\f"):
        written = written.replace(escape, b" ")
    for control in _CONTROLS if b"\\u" in written else ():
        written = written.replace(control, b" ")
    return written


def _numbers_hold_card(others: bytes) -> bool:
    """In what stands outside of the texts of a JSON value. Fractions hold no card number."""
    return find_in_numbers(_LONG_FRACTION.sub(b"", others).translate(_BETWEEN_NUMBERS).decode())

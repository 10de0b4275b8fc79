"""Does a database's text hold a card number, by the rule of its column or of its field in stored JSON? Pure (I16)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from http_api.card_fields import FREE, STORED
from http_api.card_numbers import any_is_card_number, find_card_number, find_in_any, find_in_numbers, is_card_number
from http_api.number_schemes import is_parcel_number

_ENOUGH = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,4}[0-9]){12}")
"""Of nearly all texts this says at once that there is nothing in them."""


def holds_card_number(column: str, text: str, beside: Mapping[str, Any]) -> bool:
    """`column` is the text's own, `beside` are the other columns of its row."""
    if text.isascii() and "\\u" not in text and _ENOUGH.search(text) is None:
        return False
    value = _json(text)
    if value is not None:
        return _Found.of(value).holds_card_number()
    if column == "tracking" and is_parcel_number(str(beside.get("carrier")), text):
        return False
    return is_card_number(text) if column in STORED else find_card_number(text)


def _json(text: str) -> Any:
    """A JSON object or list; None for all other texts."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass
class _Found:
    """The texts and numbers of a JSON value."""

    identifiers: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, value: Any) -> _Found:
        found = cls()
        found._add("", value, free=False)
        return found

    def holds_card_number(self) -> bool:
        return (
            any_is_card_number(self.identifiers) or find_in_any(self.typed) or find_in_numbers("x".join(self.numbers))
        )

    def _add(self, name: str, value: Any, *, free: bool) -> None:
        """`free`: it is below a field of the client's own, where names say nothing."""
        if isinstance(value, str):
            (self.identifiers if name in STORED and not free else self.typed).append(value)
        elif isinstance(value, dict):
            self._add_fields(value, free=free or name in FREE)
        elif isinstance(value, list):
            for each in value:
                self._add(name, each, free=free or name in FREE)
        elif isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
            self.numbers.append(str(abs(int(value))))

    def _add_fields(self, fields: dict[str, Any], *, free: bool) -> None:
        self.typed += fields
        parcel = not free and is_parcel_number(str(fields.get("carrier")), str(fields.get("tracking")))
        for name, value in fields.items():
            if not (parcel and name == "tracking"):
                self._add(name, value, free=free)

"""Typed access to one message's fields; each failure names the field, what is there, and what is allowed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from domain.ids import is_id
from domain.refusals import Refused
from domain.times import from_wire

T = TypeVar("T")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_ABOUT = re.compile(r"[!-~]{1,400}")  # it is kept as text: no NUL, which PostgreSQL would refuse


class DecodeError(ValueError):
    """A body or a message that cannot be read; the text says what, where and what is allowed, never the content.

    `command` is the id of the command concerned, where it could be read that far.
    """

    def __init__(self, reason: str, command: str | None = None) -> None:
        super().__init__(reason)
        self.command = command


class Fields:
    """Typed access to one message's fields; each failure names the field and what is allowed there."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise DecodeError(f"message is a JSON {_json_type(content)}: an object is allowed")
        self.content: dict[str, Any] = content
        about = content.get("in_reply_to") or content.get("id")
        self.about = about if isinstance(about, str) and _ABOUT.fullmatch(about) else None

    def fail(self, field: str, allowed: str) -> DecodeError:
        found = f"has type {_json_type(self.content[field])}" if field in self.content else "is missing"
        value = self.content.get(field)
        if isinstance(value, str | int) and len(str(value)[:60]) < 60:
            found = f"is {value!r}"
        return DecodeError(f"field {field} {found}: allowed is {allowed}", self.about)

    def choice(self, field: str, allowed: Sequence[str]) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(field, " or ".join(allowed))
        return value

    def id(self, field: str) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or not is_id(value):
            raise self.fail(field, "an id of 1 to 128 printable characters without blank and slash")
        return value

    def name(self, field: str) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise self.fail(field, "a name of letters and digits")
        return value

    def text(self, field: str) -> str:
        value = self.content.get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(field, "a text that is not blank")
        return value

    def count(self, field: str) -> int:
        value = self.content.get(field)
        if type(value) is not int or not 0 <= value <= 1_000_000_000:
            raise self.fail(field, "a whole number")
        return value

    def flag(self, field: str) -> bool:
        value = self.content.get(field)
        if not isinstance(value, bool):
            raise self.fail(field, "true or false")
        return value

    def moment(self, field: str) -> int:
        try:
            return from_wire(self.text(field))
        except (ValueError, OverflowError):
            raise self.fail(field, "an RFC 3339 time") from None

    def traceparent(self) -> str | None:
        """A trace context that cannot be read is dropped, as W3C asks: no order depends on it."""
        value = self.content.get("traceparent")
        return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None

    def bytes(self, field: str) -> bytes:
        try:
            return base64.b64decode(self.content.get(field, ""), validate=True)
        except (ValueError, TypeError):
            raise self.fail(field, "base64") from None

    def document(self) -> dict[str, Any]:
        value = self.content.get("document")
        if not isinstance(value, dict):
            raise self.fail("document", "an object")
        return value

    def refusal(self) -> Refused:
        value = self.content.get("refusal")
        if not isinstance(value, dict) or not isinstance(value.get("code"), str) or not value["code"].strip():
            raise self.fail("refusal", "an object with code and detail")
        detail, internal = (str(value.get(name, ""))[:500] for name in ("detail", "internal"))
        return Refused(value["code"][:64], detail, internal)

    def optional(self, field: str, read: Callable[[str], T]) -> T | None:
        return read(field) if self.content.get(field) is not None else None

    def must_say(self, field: str, expected: str) -> None:
        if self.content.get(field) != expected:
            raise DecodeError(f"field {field} does not fit the other fields: allowed is {expected!r}", self.about)


def _json_type(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "number")

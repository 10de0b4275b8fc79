"""One bad message of each kind: those that cannot be decoded, and those that break the format (semantics B1)."""

from __future__ import annotations

import json
import re
from typing import Any

from messaging.parked import ParkedMessage
from scenario_tests.traffic import Message

GHOST = "clk_ghost"


def command(**changes: Any) -> Message:
    """A command to risk, whole but for the changes; a change to `...` takes the field away."""
    whole: Message = {
        "id": f"{GHOST}/credit/1/do",
        "kind": "command",
        "name": "ReserveCredit",
        "version": 1,
        "clerk": GHOST,
        "step": "credit",
        "attempt": 1,
        "direction": "do",
        "sent_at": "2026-11-23T14:20:53.000Z",
        "document": {"order": {"total": 1}, "customer": {"id": None}, "clerk": {"id": GHOST}},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def packed(**changes: Any) -> bytes:
    return json.dumps([command(**changes)]).encode()


def deep(levels: int) -> bytes:
    return b'[{"a":' * levels + b"1" + b"}]" * levels


BAD = {
    "no JSON": b"squeak",
    "cut off": packed()[:-20],
    "not UTF-8": b'[{"name": "\xff\xfe"}]',
    "empty": b"",
    "an empty list": b"[]",
    "no list": json.dumps(command()).encode(),
    "a list of numbers": b"[1, 2, 3]",
    "a field missing": packed(clerk=...),
    "a field of the wrong type": packed(attempt="first"),
    "an empty id": packed(clerk="", id="/credit/1/do"),
    "a blank id": packed(clerk=" ", id=" /credit/1/do"),
    "an unknown kind": packed(kind="rumour"),
    "an unknown direction": packed(direction="sideways"),
    "an id that does not fit": packed(id="clk_other/credit/1/do"),
    "no document": packed(document=...),
    "a document that is text": packed(document="all of it"),
    "the same key twice": b'[{"kind": "command", "kind": "command"}]',
    "NaN": b'[{"kind": "command", "attempt": NaN}]',
    "a number of 5,000 digits": b'[{"attempt": ' + b"9" * 5000 + b"}]",
    "10,000 levels deep": deep(5_000),
    "a document 100 levels deep": b'[{"document": ' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}]",
    "10 MB": b'["' + b"x" * (10 * 1024 * 1024) + b'"]',
    "a time that is none": packed(sent_at="tomorrow"),
}


def made_unique(body: bytes, suffix: str) -> bytes:
    """The body with a test's suffix in its ids, where there are any: parked messages are told apart by their bytes."""
    return body.replace(GHOST.encode(), f"{GHOST}_{suffix}".encode())


def parked_id(service: str, body: bytes) -> str:
    """The id under which the service parks it."""
    return ParkedMessage(service, "", "", about(body), body).id


def about(body: bytes) -> str | None:
    """The message's own id, where it could be decoded that far."""
    try:
        content = json.loads(body)[0]
    except (ValueError, RecursionError, LookupError):
        return None
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str) and re.fullmatch(r"[!-~]{1,400}", found) else None

"""Ids: a Clerk's own, and the deterministic ones of messages, so that a resend is the same message (semantics M2)."""

from __future__ import annotations

import re

_ID = re.compile(r"(?!\.{1,2}\Z)[!-.0-~]{1,128}")
"""Printable ASCII without blank and slash: ids are put together with slashes. `.` and `..` in a path lead elsewhere."""
RANDOMNESS = 10
"""How many random bytes a Clerk's id takes."""


def clerk_id(now: int, randomness: bytes) -> str:
    """`clk_` and 32 hex digits: a UUIDv7, so ids sort by the moment they were made.

    `randomness` is RANDOMNESS bytes. The id is a name, not a capability (security S1).
    """
    number = int.from_bytes(now.to_bytes(6, "big") + randomness, "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return f"clk_{number:032x}"


def is_id(text: object) -> bool:
    """Semantics M8: an empty, blank or overlong id is none."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def message_id(clerk: str, step: str, attempt: int, direction: str) -> str:
    """`clk_0193…/credit/1/do`."""
    return f"{clerk}/{step}/{attempt}/{direction}"

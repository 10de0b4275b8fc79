"""The timeline of one Clerk: its history and the replies that changed nothing, in the order of time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.times import to_wire
from shop_manager.operations.changes import changes_by_number
from shop_manager.saga.state import HistoryEntry

NO_CHANGES: dict[str, dict[str, Any]] = {"added": {}, "changed": {}, "removed": {}}
MOMENTS = frozenset({"expires_at", "deadline", "resend_at", "retry_at", "since"})


def timeline(history: Sequence[tuple[int, HistoryEntry]], ignored: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By time: `{number, at, what, step, data, changes}`.

    Ignored replies have no number, but `message`, `outcome` and `reason`. `changes`: what the line changed in the
    document, `{added: {field: value}, changed: {field: {before, after}}, removed: {field: value}}`.
    """
    changes = changes_by_number(history)
    lines = [(entry.at, number, _history_line(number, entry)) for number, entry in history]
    # An ignored reply came after everything that was known at its moment: it stands behind entries of the same time.
    lines += [(row["at"], 2**62 + row["number"], _ignored_line(row)) for row in ignored]
    in_order = [line for _, _, line in sorted(lines, key=lambda each: each[:2])]
    return [{**line, "changes": changes.get(line["number"], NO_CHANGES)} for line in in_order]


def is_reply(message: str) -> bool:
    """Is this the id of a reply, or of a report?"""
    return message.endswith("/reply") or message.rpartition("/")[0].endswith("/report")


def _history_line(number: int, entry: HistoryEntry) -> dict[str, Any]:
    data = {name: _shown(name, value) for name, value in entry.data.items()}
    return {"number": number, "at": to_wire(entry.at), "what": entry.what, "step": entry.step, "data": data}


def _shown(name: str, value: Any) -> Any:
    """A value of an entry's data; moments, which history keeps in ms, as everywhere on the wire."""
    return to_wire(value) if name in MOMENTS and isinstance(value, int) else value


def _ignored_line(row: Mapping[str, Any]) -> dict[str, Any]:
    parts = row["message"].split("/")
    return {
        "number": None,
        "at": to_wire(row["at"]),
        "what": "ignored",
        "step": parts[1] if len(parts) > 1 else None,
        "data": {},
        "message": row["message"],
        "outcome": row["outcome"],
        "reason": row["reason"],
    }

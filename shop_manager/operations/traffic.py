"""The messages of one Clerk, put together from its history, the outbox, the ignored replies and the parked messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from domain.ids import message_id
from domain.messages import SHOP_MANAGER
from domain.times import to_wire
from messaging.database import Tx
from messaging.envelope import unpack
from messaging.parked import ParkedMessage
from shop_manager.engine.tables import technical
from shop_manager.operations.timeline import is_reply
from shop_manager.processes.definition import Process
from shop_manager.saga.state import HistoryEntry

ANSWERS = {"done": "done", "undone": "undone", "refused": "refused", "undo_failed": "refused", "do_failed": "refused"}
UNSENT = 200
"""Deliveries of the outbox that are looked through: more wait only while the broker is away."""


def messages_of(
    tx: Tx,
    clerk: str,
    history: Sequence[tuple[int, HistoryEntry]],
    ignored: Sequence[Mapping[str, Any]],
    process: Process | None,
) -> list[dict[str, Any]]:
    """In the order of time: `{id, kind, at, name, service, step, direction, attempt, outcome, taken, why, unsent,
    parked}`.

    `kind` is command, reply, or wish (a cancel that came too late). `taken` is null for commands, for replies whether
    they counted; `why` says why not. `unsent`: it is still in the outbox. `parked`: the parked message's id, or null.
    """
    lines = _asked_and_answered(clerk, history, process) + [_ignored(row, process) for row in ignored]
    unsent = _unsent(tx, clerk)
    parked = _parked(tx, lines)
    for line in lines:
        line["unsent"] = line["id"] in unsent
        line["parked"] = parked.get(line["id"])
    return [{**line, "at": to_wire(line["at"])} for line in sorted(lines, key=lambda line: line["at"])]


def _asked_and_answered(
    clerk: str, history: Sequence[tuple[int, HistoryEntry]], process: Process | None
) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    direction, command = "do", ""
    for _, entry in history:
        data = entry.data
        if entry.what == "asked":
            direction, command = data["direction"], data["command"]
            asked = message_id(clerk, entry.step or "", data["attempt"], direction)
            lines.append({**_line(asked, "command", entry.at, process), "name": command})
        elif entry.what in ANSWERS:
            reply = f"{message_id(clerk, entry.step or '', data['attempt'], direction)}/reply"
            answer = {"name": command, "outcome": ANSWERS[entry.what], "taken": True}
            lines.append({**_line(reply, "reply", entry.at, process), **answer})
        elif entry.what == "reported":
            asked = message_id(clerk, entry.step or "", data["attempt"], "do")
            report = {"name": command, "outcome": "report", "taken": True}
            lines.append({**_line(f"{asked}/report/{data['number']}", "reply", entry.at, process), **report})
    return lines


def _ignored(row: Mapping[str, Any], process: Process | None) -> dict[str, Any]:
    kind = "reply" if is_reply(row["message"]) else "wish"
    line = _line(row["message"], kind, row["at"], process)
    return {**line, "outcome": row["outcome"], "taken": False, "why": row["reason"]}


def _line(message: str, kind: str, at: int, process: Process | None) -> dict[str, Any]:
    """What a message's id says of it; the id of a `wish` says nothing but the Clerk."""
    _, step, attempt, direction, *_ = message.split("/") if kind != "wish" else ("", None, None, None)
    return {
        "id": message,
        "kind": kind,
        "at": at,
        "name": None,
        "service": process.step(step).asks if process and step in process.names else None,
        "step": step,
        "direction": direction,
        "attempt": attempt and int(attempt),
        "outcome": None,
        "taken": None,
        "why": None,
    }


def _unsent(tx: Tx, clerk: str) -> set[str]:
    table = technical.outbox
    found: set[str] = set()
    for row in tx.execute(select(table.c.body).order_by(table.c.number.desc()).limit(UNSENT)):
        found |= {each["id"] for each in unpack(bytes(row.body)) if each.get("clerk") == clerk}
    return found


def _parked(tx: Tx, lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By message id: the id under which it is parked, a hash of service and message id, so found by primary key."""
    by_id = {
        ParkedMessage(SHOP_MANAGER if line["kind"] == "reply" else line["service"] or "", "", "", line["id"], b"").id:
        line["id"]
        for line in lines
    }  # fmt: skip
    table = technical.parked
    rows = tx.execute(select(table.c.id).where(table.c.id.in_(sorted(by_id))))
    return {by_id[row.id]: row.id for row in rows}

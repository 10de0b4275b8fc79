"""How pages name a status, a cause, a step's state or an outcome: a word, an icon and a colour, never colour alone."""

from __future__ import annotations

from typing import NamedTuple


class Label(NamedTuple):
    """`icon` is one of icons.html; `tone` one of the colours of app.css: quiet, busy, good, warn, bad."""

    name: str
    icon: str
    tone: str


STATUS = {
    "open": Label("open", "cart", "quiet"),
    "processing": Label("processing", "turning", "busy"),
    "requires_action": Label("customer's turn", "person", "busy"),
    "canceling": Label("being undone", "back", "warn"),
    "completed": Label("completed", "check", "good"),
    "canceled": Label("canceled", "cross", "quiet"),
    "expired": Label("expired", "clock", "quiet"),
    "failed": Label("failed", "cross", "quiet"),
}
STUCK = {
    "undo_failing": Label("undo fails", "alert", "bad"),
    "no_answer": Label("no answer", "alert", "bad"),
    "overdue": Label("overdue", "clock", "bad"),
    "parked_message": Label("message parked", "alert", "bad"),
    "unsupported": Label("not supported", "alert", "bad"),
}
STEP = {
    "to_do": Label("to do", "dot", "quiet"),
    "asked": Label("asked", "turning", "busy"),
    "waiting": Label("waiting for a person", "person", "busy"),
    "done": Label("done", "check", "good"),
    "refused": Label("refused", "cross", "warn"),
    "undoing": Label("being undone", "back", "warn"),
    "undone": Label("undone", "back", "quiet"),
    "skipped": Label("skipped", "dot", "quiet"),
}
OUTCOME = {
    "done": Label("done", "check", "good"),
    "ok": Label("ok", "check", "good"),
    "refused": Label("refused", "cross", "warn"),
    "failed": Label("failed", "alert", "bad"),
}


def label_of(kind: str, value: str) -> Label:
    """The label of a value; of one that this version does not know, the value itself.

    `kind` is `status`, `stuck`, `step` or `outcome`.
    """
    known: dict[str, dict[str, Label]] = {"status": STATUS, "stuck": STUCK, "step": STEP, "outcome": OUTCOME}
    return known[kind].get(value) or Label(value, "dot", "quiet")

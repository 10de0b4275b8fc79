"""The words of the pages: for every status and every way to be stuck a name, an icon and a tone, never colour alone."""

from __future__ import annotations

from typing import NamedTuple


class Word(NamedTuple):
    """`icon` is one of icons.html; `tone` one of the colours of app.css: quiet, busy, good, warn, bad."""

    name: str
    icon: str
    tone: str


STATUS = {
    "open": Word("open", "cart", "quiet"),
    "processing": Word("processing", "turning", "busy"),
    "requires_action": Word("customer's turn", "person", "busy"),
    "canceling": Word("being undone", "back", "warn"),
    "completed": Word("completed", "check", "good"),
    "canceled": Word("canceled", "cross", "quiet"),
    "expired": Word("expired", "clock", "quiet"),
    "failed": Word("failed", "cross", "quiet"),
}
STUCK = {
    "undo_failing": Word("undo fails", "alert", "bad"),
    "no_answer": Word("no answer", "alert", "bad"),
    "overdue": Word("overdue", "clock", "bad"),
    "parked_message": Word("message parked", "alert", "bad"),
    "unsupported": Word("not supported", "alert", "bad"),
}
STEP = {
    "to_do": Word("to do", "dot", "quiet"),
    "asked": Word("asked", "turning", "busy"),
    "waiting": Word("waiting for a person", "person", "busy"),
    "done": Word("done", "check", "good"),
    "refused": Word("refused", "cross", "warn"),
    "undoing": Word("being undone", "back", "warn"),
    "undone": Word("undone", "back", "quiet"),
    "skipped": Word("skipped", "dot", "quiet"),
}
OUTCOME = {
    "done": Word("done", "check", "good"),
    "ok": Word("ok", "check", "good"),
    "refused": Word("refused", "cross", "warn"),
    "failed": Word("failed", "alert", "bad"),
}


def word(kind: str, value: str) -> Word:
    """The word for a value; for one that this version does not know, the value itself. `kind`: status, stuck, step…"""
    known: dict[str, dict[str, Word]] = {"status": STATUS, "stuck": STUCK, "step": STEP, "outcome": OUTCOME}
    return known[kind].get(value) or Word(value, "dot", "quiet")

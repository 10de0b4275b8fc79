"""A Decision while it is made: the rules write history entries and commands into the draft. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from domain.document import Document
from domain.messages import Command
from domain.refusals import Refused
from shop_manager.processes.definition import Process, Step
from shop_manager.saga.happenings import Decision
from shop_manager.saga.policy import Policy
from shop_manager.saga.state import (
    HistoryEntry,
    Question,
    Resend,
    Saga,
    evolve,
)


class Draft:
    """What one happening has led to so far: the saga as it is now, new entries, commands to send. `now` in ms."""

    def __init__(self, process: Process, saga: Saga, now: int, policy: Policy) -> None:
        self.process = process
        self.saga = saga
        self.now = now
        self.policy = policy
        self.entries: list[HistoryEntry] = []
        self.send: list[Command] = []

    def write(self, what: str, step: str | None = None, **data: Any) -> None:
        """Add one history entry, and change the saga as it says.

        `data` of each `what`: see the function of saga/state.py that evolves it.
        """
        entry = HistoryEntry(what, self.now, step, data)
        self.entries.append(entry)
        self.saga = evolve(self.saga, entry)

    def amend(self, document: Document, fields: Sequence[str], by: str) -> None:
        """Set the document: the entry names the fields, and keeps nothing of what is personal."""
        self.write("amended", fields=list(fields), by=by)
        self.saga = replace(self.saga, document=document)

    def resend_at(self, resend: Resend) -> None:
        """Set the timer of the open question: that is no history (M4)."""
        self.saga = replace(self.saga, resend=resend)

    def decision(self, ignored: str | None = None, refused: Refused | None = None) -> Decision:
        return Decision(self.saga, self.entries, self.send, ignored, refused)

    @property
    def question(self) -> Question | None:
        return self.saga.question

    def step_of(self, question: Question) -> Step:
        return self.process.step(question.step)

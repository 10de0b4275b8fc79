"""The draft of a decision: entries are written, the saga follows them, commands collect."""

from __future__ import annotations

from typing import Any

from domain.messages import Command
from domain.refusals import Refused
from shop_manager.happenings import Decision, Policy
from shop_manager.processes.definition import Process, Step
from shop_manager.saga import Entry, Question, Saga, evolve


class Draft:
    """What one happening leads to, so far. `now` in ms."""

    def __init__(self, process: Process, saga: Saga, now: int, policy: Policy) -> None:
        self.process = process
        self.saga = saga
        self.now = now
        self.policy = policy
        self.entries: list[Entry] = []
        self.send: list[Command] = []

    def write(self, what: str, step: str | None = None, **data: Any) -> None:
        """Add one line of history; the saga is what it says from here on."""
        entry = Entry(what, self.now, step, data)
        self.entries.append(entry)
        self.saga = evolve(self.saga, entry)

    def decision(self, ignored: str | None = None, refused: Refused | None = None) -> Decision:
        return Decision(self.saga, self.entries, self.send, ignored, refused)

    @property
    def question(self) -> Question | None:
        return self.saga.question

    def step_of(self, question: Question) -> Step:
        return self.process.step(question.step)

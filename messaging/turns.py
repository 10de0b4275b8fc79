"""Turns: a service's part in one step of one Clerk. Inbox, fence and saved answer at once (architecture.md).

| turn      | a command *do* arrives                          | a command *undo* arrives                     |
|-----------|-------------------------------------------------|----------------------------------------------|
| none      | run the rule; keep done, refused or waiting     | keep the tombstone undone; answer undone     |
| waiting   | nothing new; answer when the person has acted   | run the undo rule; undone                    |
| done      | the same answer again                           | run the undo rule; undone                    |
| refused   | the same answer again                           | answer undone: there is nothing to undo      |
| undone    | refuse: it was called off before it came        | answer undone again                          |

An undo that is asked anew (a later attempt than the one that was answered) runs its rule whatever the turn says: undo
rules give back what the service itself has recorded, and where nothing is recorded they do nothing. That is how
`clerk repair` puts right what a turn says is undone, and is not (docs/decisions/010).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Generic, Literal, Protocol, TypeVar

import orjson
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, bindparam, select, tuple_
from sqlalchemy.sql import Select

from domain.document import SECTION_OF, Document, with_section
from domain.messages import Command, Message, Reply, answer
from domain.refusals import Refused
from messaging.database import KEYS, Tx

State = Literal["waiting", "done", "refused", "undone"]
CALLED_OFF = Refused("called_off", "this step was called off before it came")


@dataclass(frozen=True, slots=True)
class Done:
    """The step is done; `section` are the keys to set in the service's own section."""

    section: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Undone:
    """The step is undone, or there was nothing to undo."""

    section: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person or the outer world has to act first; the answer follows then (M6)."""


@dataclass(frozen=True, slots=True)
class Failing:
    """An undo that cannot be done now: no business "no", ShopManager asks again (U5). `why` is for the operator."""

    why: Refused


Answer = Done | Refused | Waiting | Undone | Failing


@dataclass(frozen=True, slots=True)
class Turn:
    """One row. `command` is the latest form of what was asked, kept while it waits; `section` the saved answer."""

    clerk: str
    step: str
    state: State
    name: str
    attempt: int
    section: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refused | None = None
    deadline: int | None = None
    command: Command | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.clerk, self.step)


BooksT = TypeVar("BooksT", bound="Books")
Rule = Callable[[Command, BooksT, int], Answer]
"""(command, the batch's records, now in ms) → answer. Pure but for changing the records it is given."""


class Books(Protocol):
    """A service's records for one batch: read with one query a table, changed in memory, written with one each."""

    def save(self, tx: Tx) -> None: ...


@dataclass(frozen=True)
class Service(Generic[BooksT]):
    """What makes a service this one: its rules by (command, version), and how its records are opened.

    `blank` is its section when nothing was kept; `locks` names what else than the Clerk a command competes for.
    """

    name: str
    rules: Mapping[tuple[str, int], Rule[BooksT]]
    open_books: Callable[[Tx, Sequence[Command]], BooksT]
    locks: Callable[[Command], Iterable[str]]
    blank: Mapping[str, Any]

    @property
    def section(self) -> str:
        return SECTION_OF[self.name]


def turns_table(metadata: MetaData) -> Table:
    return Table(
        "turns",
        metadata,
        Column("clerk", String(128), primary_key=True),
        Column("step", String(128), primary_key=True),
        Column("state", String(16), nullable=False),
        Column("name", String(64), nullable=False),
        Column("attempt", BigInteger, nullable=False),
        Column("answer", Text, nullable=False),
        Column("deadline", BigInteger),
        Column("command", Text),
        Column("updated_at", BigInteger, nullable=False),
    )


@cache
def _statements(table: Table) -> tuple[Select[Any], Select[Any]]:
    """Turns by their keys, and those of one Clerk that wait."""
    known = select(table).where(tuple_(table.c.clerk, table.c.step).in_(KEYS))
    return known, select(table).where(table.c.clerk == bindparam("clerk"), table.c.state == "waiting")


class Desk(Generic[BooksT]):
    """Where a service's commands are answered. `handle` is what its worker calls, inside one transaction."""

    def __init__(self, service: Service[BooksT], table: Table) -> None:
        self.service = service
        self.table = table
        self._known, self._waiting = _statements(table)

    def handle(self, tx: Tx, commands: Sequence[Message]) -> list[Message]:
        """Answer a batch: five statements and those of the books, however many commands there are."""
        asked = [command for command in commands if isinstance(command, Command)]
        now = tx.lock(self._locks(asked))
        turns = self.read(tx, {(command.clerk, command.step) for command in asked})
        books = self.service.open_books(tx, asked)
        changed: dict[tuple[str, str], Turn] = {}
        replies: list[Message] = []
        for command in asked:
            turn, reply = self.take_turn(command, turns.get((command.clerk, command.step)), books, now)
            if turn is not None:
                turns[turn.key] = changed[turn.key] = turn
            if reply is not None:
                replies.append(reply)
        self.write(tx, changed.values(), now)
        books.save(tx)
        return replies

    def _locks(self, commands: Sequence[Command]) -> Iterable[str]:
        for command in commands:
            yield command.clerk
            yield from self.service.locks(command)

    def take_turn(
        self, command: Command, turn: Turn | None, books: BooksT, now: int
    ) -> tuple[Turn | None, Reply | None]:
        """The table above, for one command: the turn to keep (None: as it was) and the reply (None: later)."""
        rule = self.service.rules.get((command.name, command.version))
        if rule is None:
            return None, answer(command, "unsupported", command.document, now)
        if command.direction == "do":
            return self._do(command, turn, rule, books, now)
        return self._undo(command, turn, rule, books, now)

    def _do(
        self, command: Command, turn: Turn | None, rule: Rule[BooksT], books: BooksT, now: int
    ) -> tuple[Turn | None, Reply | None]:
        if turn is None:
            return self.conclude(_fresh(command), command, rule(command, books, now), now)
        if turn.command and turn.command.direction == "undo":  # its undo is under way: only not confirmed yet
            return None, answer(command, "refused", command.document, now, CALLED_OFF)
        if turn.state == "waiting":
            if turn.name != command.name:  # the process asks something else of the step that waits (invoice: overdue)
                return self.conclude(_fresh(command), command, rule(command, books, now), now)
            return replace(turn, attempt=command.attempt, deadline=command.deadline, command=command), None
        if turn.state == "undone":
            return None, answer(command, "refused", command.document, now, CALLED_OFF)
        return None, self._saved_answer(command, turn, now)

    def _undo(
        self, command: Command, turn: Turn | None, rule: Rule[BooksT], books: BooksT, now: int
    ) -> tuple[Turn | None, Reply | None]:
        kept = turn is not None and turn.state in ("waiting", "done")
        if kept or _is_asked_anew(command, turn):
            return self.conclude(turn or _fresh(command), command, rule(command, books, now), now)
        if turn is None or turn.state == "refused":
            turn = turn or _fresh(command)
            tombstone = replace(turn, state="undone", attempt=command.attempt, section=self.service.blank, command=None)
            return tombstone, self._saved_answer(command, tombstone, now)
        return None, self._saved_answer(command, turn, now)

    def conclude(self, turn: Turn, command: Command, verdict: Answer, now: int) -> tuple[Turn | None, Reply | None]:
        """The turn and the reply that follow from a rule's answer to `command`."""
        match verdict:
            case Waiting():
                waiting = replace(
                    turn, state="waiting", attempt=command.attempt, deadline=command.deadline, command=command
                )
                return (waiting if command.direction == "do" else replace(turn, command=command)), None
            case Failing(why):
                return None, answer(command, "refused", command.document, now, why)
            case Refused():
                ended = replace(turn, state="refused", refusal=verdict, command=None, name=command.name)
            case Done(section):
                ended = replace(turn, state="done", section=section, command=None, name=command.name)
            case Undone(section):
                told = turn.section if turn.state == "undone" else section
                ended = replace(turn, state="undone", attempt=command.attempt, section=told, command=None)
        return ended, self._saved_answer(command, ended, now)

    def _saved_answer(self, command: Command, turn: Turn, now: int) -> Reply:
        if turn.state == "refused":
            return answer(command, "refused", command.document, now, turn.refusal)
        document = self._with_own_section(command.document, turn.section)
        return answer(command, "done" if turn.state == "done" else "undone", document, now)

    def _with_own_section(self, document: Document, section: Mapping[str, Any]) -> Document:
        return with_section(document, self.service.section, section)

    def read(self, tx: Tx, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Turn]:
        """The turns there are, by (clerk, step)."""
        rows = tx.execute(self._known, {"keys": sorted(keys)})
        return {(row.clerk, row.step): _from_row(row, self.service.name) for row in rows}

    def read_waiting(self, tx: Tx, clerk: str) -> list[Turn]:
        """The turns of one Clerk that wait for a person or the outer world."""
        rows = tx.execute(self._waiting, {"clerk": clerk})
        return [_from_row(row, self.service.name) for row in rows]

    def write(self, tx: Tx, turns: Iterable[Turn], now: int) -> None:
        tx.upsert(self.table, [_as_row(turn, now) for turn in turns], ["clerk", "step"])


def _is_asked_anew(undo: Command, turn: Turn | None) -> bool:
    """Is it a later attempt than any that was answered here? An undone turn has the attempt of its undo."""
    answered = turn.attempt if turn is not None and turn.state == "undone" else 1
    return undo.attempt > answered


def _fresh(command: Command) -> Turn:
    return Turn(
        clerk=command.clerk,
        step=command.step,
        state="waiting",
        name=command.name,
        attempt=command.attempt,
        deadline=command.deadline,
    )


def _as_row(turn: Turn, now: int) -> dict[str, Any]:
    refusal = turn.refusal.as_json() if turn.refusal else None
    return {
        "clerk": turn.clerk,
        "step": turn.step,
        "state": turn.state,
        "name": turn.name,
        "attempt": turn.attempt,
        "answer": orjson.dumps({"section": turn.section, "refusal": refusal}).decode(),
        "deadline": turn.deadline,
        "command": None if turn.command is None else orjson.dumps(_command_kept(turn.command)).decode(),
        "updated_at": now,
    }


def _command_kept(command: Command) -> dict[str, Any]:
    return {
        "name": command.name,
        "version": command.version,
        "attempt": command.attempt,
        "direction": command.direction,
        "document": command.document,
        "traceparent": command.traceparent,
    }


def _from_row(row: Any, service: str) -> Turn:
    saved = orjson.loads(row.answer)
    kept = orjson.loads(row.command) if row.command else None
    return Turn(
        clerk=row.clerk,
        step=row.step,
        state=row.state,
        name=row.name,
        attempt=row.attempt,
        section=saved["section"],
        refusal=Refused(**saved["refusal"]) if saved["refusal"] else None,
        deadline=row.deadline,
        command=kept
        and Command(
            service=service, clerk=row.clerk, step=row.step, sent_at=None, deadline=row.deadline, causation=None, **kept
        ),
    )

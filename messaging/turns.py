"""Turns: a service's part in one step of one Clerk. Inbox, fence and saved answer at once (semantics M2, M5, U3).

| turn      | a command *do* arrives                          | a command *undo* arrives                     |
|-----------|-------------------------------------------------|----------------------------------------------|
| none      | run the handler; keep done, refused or waiting  | keep the tombstone undone; answer undone     |
| waiting   | the last report again; answer when it is done   | run the undo handler; undone                 |
| done      | the same answer again                           | run the undo handler; undone                 |
| refused   | the same answer again                           | answer undone: there is nothing to undo      |
| undone    | refuse: it was called off before it came        | answer undone again                          |

An undo that is asked anew (a later attempt than the one that was answered) runs its handler whatever the turn says:
undo handlers give back what the service itself has recorded, and where nothing is recorded they do nothing. That is how
`clerk repair` puts right what a turn says is undone, and is not (docs/decisions/010).

While a turn waits the service may report on it (M9): the turn keeps the last report, and how many there were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Generic, Literal, Protocol, TypeVar

import orjson
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, bindparam, select
from sqlalchemy.sql import Select

from domain.document import SECTION_OF, Document, with_section
from domain.messages import Command, Message, Reply, answer, report_on
from domain.refusals import Refused
from messaging.database import Tx
from messaging.statements import KEYS

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


HandlerResult = Done | Refused | Waiting | Undone | Failing


@dataclass(frozen=True, slots=True)
class Turn:
    """One row. `command` is what was asked last, kept while its answer is open; `section` is the saved answer.

    `reports`: how many reports there were (M9); while it waits `section` is what the last one told.
    """

    clerk: str
    step: str
    state: State
    name: str
    attempt: int
    section: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refused | None = None
    deadline: int | None = None
    command: Command | None = None
    reports: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return (self.clerk, self.step)

    def is_over(self, now: int) -> bool:
        """Has its deadline passed (T2)? Never for a turn without one: from the pivot on nothing is too late."""
        return self.deadline is not None and now >= self.deadline


UnitOfWorkT = TypeVar("UnitOfWorkT", bound="UnitOfWork")
Handler = Callable[[Command, UnitOfWorkT, int], HandlerResult]
"""(command, the batch's unit of work, now in ms) → result. Pure but for changing the records it is given."""


class UnitOfWork(Protocol):
    """A service's records for one batch: read with one query a table, changed in memory, written with one each."""

    def save(self, tx: Tx) -> None: ...


@dataclass(frozen=True)
class ServiceDefinition(Generic[UnitOfWorkT]):
    """What makes a service this one: its handlers by (command, version), and how its records are read.

    `blank` is its section when nothing was kept; `locks` names what else than the Clerk a command competes for.
    """

    name: str
    handlers: Mapping[tuple[str, int], Handler[UnitOfWorkT]]
    open_unit_of_work: Callable[[Tx, Sequence[Command]], UnitOfWorkT]
    blank: Mapping[str, Any]
    locks: Callable[[Command], Iterable[str]] = lambda command: ()

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
    """Turns by Clerks and steps, and those of one Clerk that wait.

    Two lists, of which the caller takes the pairs that it wants: PostgreSQL plans a list of pairs one by one.
    """
    known = select(table).where(table.c.clerk.in_(bindparam("clerks", expanding=True)), table.c.step.in_(KEYS))
    return known, select(table).where(table.c.clerk == bindparam("clerk"), table.c.state == "waiting")


class Dispatcher(Generic[UnitOfWorkT]):
    """Where a service's commands are answered. `handle` is what its worker calls, inside one transaction."""

    def __init__(self, service: ServiceDefinition[UnitOfWorkT], table: Table) -> None:
        self.service = service
        self.table = table
        self._known, self._waiting = _statements(table)

    def handle(self, tx: Tx, commands: Sequence[Message]) -> list[Message]:
        """Answer a batch, as the worker's `handle`: three statements and those of the unit of work, for any size."""
        asked = [command for command in commands if isinstance(command, Command)]
        keys = {(command.clerk, command.step) for command in asked}
        now, rows = tx.lock_and_read(self._locks(asked), self._known, _values(keys))
        turns = self._by_key(rows, keys)
        new = keys - turns.keys()
        uow = self.service.open_unit_of_work(tx, asked)
        changed: dict[tuple[str, str], Turn] = {}
        replies: list[Message] = []
        for command in asked:
            turn, reply = self.take_turn(command, turns.get((command.clerk, command.step)), uow, now)
            if turn is not None:
                turns[turn.key] = changed[turn.key] = turn
            if reply is not None:
                replies.append(reply)
        self.write(tx, changed.values(), now, new)
        uow.save(tx)
        return replies

    def _locks(self, commands: Sequence[Command]) -> Iterable[str]:
        for command in commands:
            yield command.clerk
            yield from self.service.locks(command)

    def take_turn(
        self, command: Command, turn: Turn | None, uow: UnitOfWorkT, now: int
    ) -> tuple[Turn | None, Reply | None]:
        """The table above, for one command: the turn to keep (None: as it was) and the reply (None: later)."""
        handler = self.service.handlers.get((command.name, command.version))
        if handler is None:
            return None, answer(command, "unsupported", command.document, now)
        if command.direction == "do":
            return self._do(command, turn, handler, uow, now)
        return self._undo(command, turn, handler, uow, now)

    def _do(
        self, command: Command, turn: Turn | None, handler: Handler[UnitOfWorkT], uow: UnitOfWorkT, now: int
    ) -> tuple[Turn | None, Reply | None]:
        if turn is None:
            return self._conclude(_fresh(command), command, handler(command, uow, now), now)
        if turn.command and turn.command.direction == "undo":  # its undo waits for the outer world
            return None, answer(command, "refused", command.document, now, CALLED_OFF)
        if turn.state == "waiting":
            if turn.name != command.name:  # the process asks something else of the step that waits (invoice: overdue)
                fresh = replace(_fresh(command), reports=turn.reports)
                return self._conclude(fresh, command, handler(command, uow, now), now)
            waiting = replace(turn, attempt=command.attempt, deadline=command.deadline, command=command)
            return waiting, self._report(waiting, command, now) if turn.reports else None
        if turn.state == "undone":
            return None, answer(command, "refused", command.document, now, CALLED_OFF)
        return None, self._saved_answer(command, turn, now)

    def _undo(
        self, command: Command, turn: Turn | None, handler: Handler[UnitOfWorkT], uow: UnitOfWorkT, now: int
    ) -> tuple[Turn | None, Reply | None]:
        kept = turn is not None and turn.state in ("waiting", "done")
        if kept or _is_asked_anew(command, turn):
            return self._conclude(turn or _fresh(command), command, handler(command, uow, now), now)
        if turn is None or turn.state == "refused":
            turn = turn or _fresh(command)
            tombstone = replace(turn, state="undone", attempt=command.attempt, section=self.service.blank, command=None)
            return tombstone, self._saved_answer(command, tombstone, now)
        return None, self._saved_answer(command, turn, now)

    def _conclude(
        self, turn: Turn, command: Command, result: HandlerResult, now: int
    ) -> tuple[Turn | None, Reply | None]:
        """The turn to keep and the reply to `command` that follow from a handler's result; None where there is none."""
        match result:
            case Waiting():
                waiting = replace(
                    turn, state="waiting", attempt=command.attempt, deadline=command.deadline, command=command
                )
                return (waiting if command.direction == "do" else replace(turn, command=command)), None
            case Failing(why):
                return None, answer(command, "refused", command.document, now, why)
            case Refused():
                ended = replace(turn, state="refused", refusal=result, command=None, name=command.name)
            case Done(section):
                ended = replace(turn, state="done", section=section, command=None, name=command.name)
            case Undone(section):
                told = turn.section if turn.state == "undone" else section
                ended = replace(turn, state="undone", attempt=command.attempt, section=told, command=None)
        return ended, self._saved_answer(command, ended, now)

    def conclude_waiting(self, tx: Tx, results: Iterable[tuple[Turn, HandlerResult]], now: int) -> list[Reply]:
        """Conclude turns that waited for a person or the outer world: writes the turns, returns the replies (M6).

        To be called in the transaction that changes the service's records, under the locks of the turns' Clerks; the
        replies go to `Outbox.write` in the same transaction. One statement, however many turns. A turn whose command
        is not kept any more has been answered before: it is left as it is. After `Failing` the turn stays what it is,
        and nothing is open any more until ShopManager asks again (U5).
        """
        changed: list[Turn] = []
        replies: list[Reply] = []
        for turn, result in results:
            if turn.command is None:
                continue
            ended, reply = self._conclude(turn, turn.command, result, now)
            changed.append(ended or replace(turn, command=None))
            replies += [reply] if reply else []
        self.write(tx, changed, now)
        return replies

    def report(self, tx: Tx, reports: Iterable[tuple[Turn, Mapping[str, Any]]], now: int) -> list[Reply]:
        """Tell how turns that wait stand (M9): writes the turns, returns the reports, as `conclude_waiting` does.

        The keys are set over what was reported before; nothing is told that was told already, nor of a turn that does
        not wait to be done. One statement, however many turns.
        """
        changed: list[Turn] = []
        for turn, keys in reports:
            section = {**turn.section, **keys}
            waits = turn.state == "waiting" and turn.command is not None and turn.command.direction == "do"
            if waits and section != turn.section:
                changed.append(replace(turn, section=section, reports=turn.reports + 1))
        self.write(tx, changed, now)
        return [self._report(turn, turn.command, now) for turn in changed if turn.command]

    def _report(self, turn: Turn, command: Command, now: int) -> Reply:
        return report_on(command, turn.reports, self._with_own_section(command.document, turn.section), now)

    def _saved_answer(self, command: Command, turn: Turn, now: int) -> Reply:
        if turn.state == "refused":
            told = self._instead_of_reports(command.document, self.service.blank) if turn.reports else command.document
            return answer(command, "refused", told, now, turn.refusal)
        if turn.state == "done" and turn.reports:
            return answer(command, "done", self._instead_of_reports(command.document, turn.section), now)
        document = self._with_own_section(command.document, turn.section)
        return answer(command, "done" if turn.state == "done" else "undone", document, now)

    def _instead_of_reports(self, document: Document, section: Mapping[str, Any]) -> Document:
        """A command that came again may bring along what was reported meanwhile: nothing of that stays."""
        return {**document, self.service.section: dict(section)}

    def _with_own_section(self, document: Document, section: Mapping[str, Any]) -> Document:
        return with_section(document, self.service.section, section)

    def read(self, tx: Tx, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Turn]:
        """The turns there are, by (clerk, step)."""
        wanted = set(keys)
        return self._by_key(tx.execute(self._known, _values(wanted)), wanted)

    def _by_key(self, rows: Iterable[Any], wanted: Set[tuple[str, str]]) -> dict[tuple[str, str], Turn]:
        return {key: _from_row(row, self.service.name) for row in rows if (key := (row.clerk, row.step)) in wanted}

    def read_waiting(self, tx: Tx, clerk: str) -> list[Turn]:
        """The turns of one Clerk that wait for a person or the outer world."""
        rows = tx.execute(self._waiting, {"clerk": clerk})
        return [_from_row(row, self.service.name) for row in rows]

    def write(self, tx: Tx, turns: Iterable[Turn], now: int, new: Set[tuple[str, str]] = frozenset()) -> None:
        """Under the locks of their Clerks. `new`: the keys of those that were not there when they were read."""
        added: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for turn in turns:
            (added if turn.key in new else changed).append(_as_row(turn, now))
        tx.insert(self.table, added)
        tx.update(self.table, changed, ["clerk", "step"])


def _values(keys: Set[tuple[str, str]]) -> dict[str, list[str]]:
    return {"clerks": sorted({clerk for clerk, _ in keys}), "keys": sorted({step for _, step in keys})}


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
    saved: dict[str, Any] = {"section": turn.section, "refusal": None}
    if turn.refusal:
        saved["refusal"] = {"code": turn.refusal.code, "detail": turn.refusal.detail}
        saved["internal"] = turn.refusal.internal  # beside it: a process of an older version reads the refusal too
    if turn.reports:
        saved["reports"] = turn.reports
    return {
        "clerk": turn.clerk,
        "step": turn.step,
        "state": turn.state,
        "name": turn.name,
        "attempt": turn.attempt,
        "answer": orjson.dumps(saved).decode(),
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
        refusal=Refused(**saved["refusal"], internal=saved.get("internal", "")) if saved["refusal"] else None,
        deadline=row.deadline,
        reports=saved.get("reports", 0),
        command=kept
        and Command(
            service=service, clerk=row.clerk, step=row.step, sent_at=None, deadline=row.deadline, causation=None, **kept
        ),
    )

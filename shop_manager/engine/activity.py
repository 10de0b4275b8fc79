"""Writes down when Clerks become stuck and when they go on, in the transaction in which they do.

An order that never gets stuck costs no statement; one that goes on again costs one more that reads, to say by whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import select

from http_api.principals import operator_key
from messaging.database import Tx
from messaging.statements import KEYS
from shop_manager.engine.tables import activity_schema, history
from shop_manager.saga.happenings import Decision
from shop_manager.saga.state import BY_OPERATOR, HistoryEntry, Question, Saga, Stuck

table = activity_schema.lines
How = Literal["by_itself", "retry", "replay", "undo", "settle", "canceled"]
"""What made a stuck Clerk go on. `canceled`: the customer or the shop has called the order off."""
_ACTS: dict[str, How] = {"settled": "settle", "turned_around": "undo"}
_OVER = ("unstuck", "ended")
_TOLD = (
    select(history.c.clerk, history.c.at, history.c.what, history.c.step, history.c.data)
    .where(history.c.clerk.in_(KEYS), history.c.what.in_(("asked", "turned_around")))
    .order_by(history.c.clerk, history.c.number)
)


@dataclass(frozen=True, slots=True)
class Event:
    """A Clerk has become stuck, or has gone on: then `how` and `who`, or `""` while the history has to be asked, and
    `answered`, the question that was open.
    """

    saga: Saga
    stuck: Stuck
    at: int
    goes_on: bool = False
    how: How | Literal[""] = ""
    who: str = ""
    answered: Question | None = None


def events_of(before: Saga, decision: Decision, replayed_by: str = "") -> list[Event]:
    """What a decision says of being stuck. `replayed_by`: the operator who had the parked reply handled.

    More time takes a Clerk off the list and heals nothing: that is told as the operator's act alone.
    """
    if any(entry.what == "deadlines_moved" for entry in decision.entries):
        return []
    found: list[Event] = []
    stuck = before.stuck
    for entry in decision.entries:
        if entry.what == "stuck":
            new = _stuck_by(entry)
            if stuck is None:
                found.append(Event(before, new, entry.at))
            stuck = new
        elif stuck is not None and entry.what in _OVER:
            found.append(_going_on(before, stuck, decision.entries, entry.at, replayed_by))
            stuck = None
    return found


def write(tx: Tx, events: Sequence[Event]) -> None:
    """Two statements at most, however many they are."""
    asked = sorted({event.saga.id for event in events if event.goes_on and not event.how})
    told: dict[str, list[HistoryEntry]] = {}
    rows: Iterable[Any] = tx.execute(_TOLD, {"keys": asked}) if asked else ()
    for row in rows:
        told.setdefault(row.clerk, []).append(HistoryEntry(row.what, row.at, row.step, orjson.loads(row.data)))
    add(tx, [_row(event, told.get(event.saga.id, ())) for event in events])


def add(tx: Tx, lines: Sequence[Mapping[str, Any]]) -> None:
    """Lines as `line` makes them; of those with an `entry` that is there already nothing changes."""
    tx.insert_missing(table, lines, ["entry"])


def line(at: int, kind: str, what: str, **known: Any) -> dict[str, Any]:
    """A row of the table, cut to what its columns hold; what is not `known` is null."""
    row: dict[str, Any] = dict.fromkeys(column.name for column in table.c if column.name != "number")
    row |= {"at": at, "kind": kind, "what": what, "detail": "", "count": 1}
    row |= {name: _cut(name, value) for name, value in known.items()}
    if row["who"] and not row["who_key"]:
        row["who_key"] = operator_key(row["who"])
    return row


def _cut(name: str, value: Any) -> Any:
    longest: int | None = getattr(table.c[name].type, "length", None)
    return value[:longest] if longest and isinstance(value, str) else value


def _stuck_by(entry: HistoryEntry) -> Stuck:
    data = entry.data
    since = data.get("since", entry.at)
    return Stuck(data["kind"], since, entry.step or "", data["service"], data["code"], data["detail"])


def _going_on(before: Saga, stuck: Stuck, entries: Sequence[HistoryEntry], at: int, replayed_by: str) -> Event:
    for entry in entries:
        by = str(entry.data.get("by", ""))
        if entry.what in _ACTS and by.startswith(BY_OPERATOR):
            return Event(before, stuck, at, True, _ACTS[entry.what], by.removeprefix(BY_OPERATOR))
        if entry.what == "turned_around" and by in ("customer", "shop"):
            return Event(before, stuck, at, True, "canceled")
    if replayed_by:
        return Event(before, stuck, at, True, "replay", replayed_by)
    return Event(before, stuck, at, True, answered=before.question)


def _row(event: Event, told: Sequence[HistoryEntry]) -> dict[str, Any]:
    saga, stuck = event.saga, event.stuck
    about = {"clerk": saga.id, "process": saga.process, "step": stuck.step, "service": stuck.service,
             "cause": stuck.kind, "code": stuck.code, "detail": stuck.detail}  # fmt: skip
    if not event.goes_on:
        return line(event.at, "stuck", stuck.kind, **about)
    how, who = (event.how, event.who) if event.how else _told_by(event, told)
    return line(event.at, "healed", how, who=who or None, began_at=stuck.since, **about)


def _told_by(event: Event, told: Sequence[HistoryEntry]) -> tuple[How, str]:
    """Who has asked the question that was answered, or has turned the Clerk around since it was stuck."""
    question = event.answered
    for entry in reversed(told):
        by = str(entry.data.get("by", ""))
        if entry.what == "asked" and question and _is_of(entry, question) and by.startswith(BY_OPERATOR):
            return "retry", by.removeprefix(BY_OPERATOR)
        if entry.what == "turned_around" and entry.at >= event.stuck.since:
            if by.startswith(BY_OPERATOR):
                return "undo", by.removeprefix(BY_OPERATOR)
            if by in ("customer", "shop"):
                return "canceled", ""
    return "by_itself", ""


def _is_of(entry: HistoryEntry, question: Question) -> bool:
    data = entry.data
    asked = (entry.step, data["direction"], data["attempt"])
    return asked == (question.step, question.direction, question.attempt)

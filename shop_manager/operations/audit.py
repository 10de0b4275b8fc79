"""The audit: who did what, when, why, what was before and after; refused attempts too. It can only grow (S9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import ColumnElement, MetaData, select

from domain.times import to_wire
from domain.visible_text import comparison_key
from http_api.keys import key_tables
from http_api.principals import Principal, operator_key
from messaging.database import Tx
from shop_manager.engine.tables import operations_schema
from shop_manager.operations.activity_acts import tell_of_act

table = operations_schema.audit
_people = key_tables(MetaData()).operators
SHOWN = ("number", "who", "role", "action", "target", "reason", "seen", "outcome", "detail", "bulk")
FILTERS = ("who", "action", "target", "outcome", "bulk")
SHOW_ALL = ("action", "target", "bulk")
"""Only who asks for one of these gets the lines within a bulk act, which has one line of its own for all of them."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One attempt. `target` is `clerk:ID`, `parked:ID`, `bulk:ID`, `person:NAME`, `key:ID` or a path.

    `outcome` is `done` or the code with which it was refused; `seen` the version that the operator had on the screen.
    `bulk`: the id of the bulk act that this is a part of.
    """

    action: str
    target: str
    outcome: str = "done"
    reason: str = ""
    detail: str = ""
    seen: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    bulk: str | None = None


def record(
    tx: Tx, who: Principal, line: AuditLine, now: int, about: Mapping[str, Any] | None = MappingProxyType({})
) -> None:
    """Add a line in the act's own transaction, and one to the activity feed (activity_acts.py).

    `about`: what the feed is told besides; None when the act has changed nothing and is no news.
    """
    tx.insert(table, [_row(who, line, now)])
    if about is not None:
        tell_of_act(tx, who, line, now, about)


def read_audit(tx: Tx, wanted: Mapping[str, str | None], limit: int, before: int | None) -> list[dict[str, Any]]:
    """The latest first, those before the number `before`; each of FILTERS that is given must be equal.

    Names of people are compared as names are: `who`, and the NAME of a target `person:NAME`.

    `{number, at, who, role, action, target, reason, seen, before, after, outcome, detail, bulk}`. Lines within a bulk
    act are left out, unless one of SHOW_ALL is asked for.
    """
    rows = select(table).order_by(table.c.number.desc()).limit(limit)
    for name in FILTERS:
        if wanted.get(name) is not None:
            rows = rows.where(_fits(tx, name, wanted[name] or ""))
    if not any(wanted.get(name) for name in SHOW_ALL):
        rows = rows.where(table.c.bulk.is_(None))
    if before is not None:
        rows = rows.where(table.c.number < before)
    return [_shown(row._asdict()) for row in tx.execute(rows)]


def _fits(tx: Tx, name: str, wanted: str) -> ColumnElement[bool]:
    if name == "who":
        of_older_versions = table.c.who_key.is_(None) & table.c.who.in_(_spellings(tx, wanted))
        return (table.c.who_key == operator_key(wanted)) | of_older_versions
    kind, _, person = wanted.partition(":")
    if name == "target" and kind == "person":
        return table.c.target.in_([f"person:{each}" for each in _spellings(tx, person)])
    return table.c[name] == wanted


def _spellings(tx: Tx, person: str) -> list[str]:
    """The name as it was asked for, and as it is stored."""
    key = comparison_key(person)
    stored = tx.execute(select(_people.c.name)).scalars()
    return [person, *(name for name in stored if name != person and comparison_key(name) == key)]


def _row(who: Principal, line: AuditLine, now: int) -> dict[str, Any]:
    return {
        "at": now,
        "who": (who.name or who.kind)[:128],
        "who_key": operator_key(who.stable_name),
        "role": who.role or who.kind,
        "action": line.action,
        "target": line.target[:200],
        "reason": line.reason,
        "seen": line.seen,
        "before": _json(line.before),
        "after": _json(line.after),
        "outcome": line.outcome,
        "detail": line.detail,
        "bulk": line.bulk,
    }


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(dict(value)).decode()


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    states = {name: None if row[name] is None else orjson.loads(row[name]) for name in ("before", "after")}
    return {**{name: row[name] for name in SHOWN}, "at": to_wire(row["at"]), **states}

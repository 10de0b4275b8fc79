"""What happened in the shop, the latest first: stuck and healed Clerks, acts of operators, parked messages and their
replays, versions that came, outages. And each kind's last hour against the hour before.

Every read is of one index of the table `activity`, by time (docs/decisions/141).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from domain.times import days, hours, to_wire
from http_api.principals import operator_key
from messaging.database import Tx
from shop_manager.engine.tables import activity_schema, operations_schema

ActivityKind = Literal["stuck", "healed", "act", "parked", "deploy", "outage"]
"""`stuck`: its `what` is the cause. `healed`: what made it go on. `act`: the action. `parked`: `parked`, `replayed` or
`discarded`. `deploy`: `version` or `process`. `outage`: `began` or `ended`.
"""
LONGEST = days(90)
"""So far back is looked when no `since` is asked for."""
HOUR = hours(1)
NAMES = ("number", "kind", "what", "clerk", "process", "step", "service", "cause", "code", "who", "target", "detail",
         "count")  # fmt: skip
table, versions, bulks = activity_schema.lines, activity_schema.versions, operations_schema.bulks
c = table.c


class Counted(NamedTuple):
    """What is compared: a kind, or one `what` of it."""

    kind: ActivityKind
    what: str | None = None


COUNTED = (
    Counted("stuck"), Counted("healed"), Counted("act"), Counted("parked", "parked"), Counted("parked", "replayed"),
    Counted("parked", "discarded"), Counted("deploy"), Counted("outage", "began"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which lines; None: any. `cause` is how a Clerk is stuck, `code` what was heard; moments in ms, `until` is not
    in it any more.
    """

    kind: ActivityKind | None = None
    service: str | None = None
    step: str | None = None
    cause: str | None = None
    code: str | None = None
    who: str | None = None
    process: str | None = None
    since: int | None = None
    until: int | None = None

    def conditions(self, now: int) -> list[ColumnElement[bool]]:
        asked = {"kind": self.kind, "service": self.service, "step": self.step, "cause": self.cause, "code": self.code,
                 "process": self.process}  # fmt: skip
        if self.who is not None:
            asked["who_key"] = operator_key(self.who)
        found = [c[name] == value for name, value in asked.items() if value is not None]
        found.append(c.at >= (now - LONGEST if self.since is None else self.since))
        return found if self.until is None else [*found, c.at < self.until]


EVERYTHING = ActivityFilter()


def read_activity(tx: Tx, wanted: ActivityFilter, limit: int, before: tuple[int, int] | None) -> list[dict[str, Any]]:
    """At most `limit` lines beyond `before`, the (at, number) of the last one seen: NAMES with `at`, `began_at`, `bulk`
    (null, or of a bulk act `{id, action, status}`) and `last_seen_at` (of a version).
    """
    rows: Sequence[Any] = tx.execute(lines(wanted, limit, before, tx.now())).all()
    acts = _bulks(tx, [row.target for row in rows if row.kind == "act" and row.target])
    seen = _last_seen(tx, [row for row in rows if row.kind == "deploy"])
    return [_line(row, acts, seen) for row in rows]


def lines(wanted: ActivityFilter, limit: int, before: tuple[int, int] | None, now: int) -> Select[Any]:
    rows = select(table).where(*wanted.conditions(now)).order_by(c.at.desc(), c.number.desc()).limit(limit)
    return rows if before is None else rows.where(tuple_(c.at, c.number) < tuple_(*before))


def newest(tx: Tx) -> int:
    """The number of the line that was written last; 0 without any."""
    return int(tx.execute(select(func.max(c.number))).scalar_one() or 0)


def count_new(tx: Tx, wanted: ActivityFilter, seen: int, most: int) -> int:
    """How many lines were written after the number `seen`; at most `most`."""
    return len(tx.execute(written_since(wanted, seen, most, tx.now())).all())


def written_since(wanted: ActivityFilter, seen: int, most: int, now: int) -> Select[Any]:
    return select(c.number).where(c.number > seen, *wanted.conditions(now)).order_by(c.number).limit(most)


def compare_hours(tx: Tx, wanted: ActivityFilter, now: int) -> dict[str, Any]:
    """`{now, since, before, kinds: [{kind, what, last_hour, hour_before, difference}]}`, one for each of COUNTED.

    The time of `wanted` counts nothing here. `since` is when the last hour began, `before` when the one before did.
    """
    counts: dict[bool, Counter[tuple[str, str]]] = {True: Counter(), False: Counter()}
    rows: Iterable[Any] = tx.execute(by_hour(wanted, now))
    for is_last, kind, what, count in rows:
        for each in COUNTED:
            if each.kind == kind and each.what in (None, what):
                counts[bool(is_last)][each.kind, each.what or ""] += int(count)
    kinds = [
        _compared(each, counts[True][each.kind, each.what or ""], counts[False][each.kind, each.what or ""])
        for each in COUNTED
        if wanted.kind in (None, each.kind)
    ]
    return {"now": to_wire(now), "since": to_wire(now - HOUR), "before": to_wire(now - 2 * HOUR), "kinds": kinds}


def by_hour(wanted: ActivityFilter, now: int) -> Select[Any]:
    """(0 for the hour before and more for the last one, kind, what, how many)."""
    is_last = (c.at - (now - 2 * HOUR)) // HOUR
    lately = replace(wanted, since=now - 2 * HOUR, until=now + 1)
    by = (is_last, c.kind, c.what)
    return select(*by, func.sum(c.count)).where(*lately.conditions(now)).group_by(*by)


def _compared(each: Counted, last: int, before: int) -> dict[str, Any]:
    return {"kind": each.kind, "what": each.what, "last_hour": last, "hour_before": before, "difference": last - before}


def _line(row: Any, acts: Mapping[str, Any], seen: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    last = seen.get(_version_of(row)) if row.kind == "deploy" else None
    return {
        **{name: getattr(row, name) for name in NAMES},
        "at": to_wire(row.at),
        "began_at": None if row.began_at is None else to_wire(row.began_at),
        "bulk": acts.get(row.target or ""),
        "last_seen_at": None if last is None else to_wire(last),
    }


def _bulks(tx: Tx, targets: Sequence[str]) -> dict[str, dict[str, str]]:
    """The bulk acts among the targets of acts."""
    ids = [name for kind, _, name in (target.partition(":") for target in targets) if kind == "bulk"]
    if not ids:
        return {}
    rows = tx.execute(select(bulks.c.id, bulks.c.action, bulks.c.status).where(bulks.c.id.in_(ids)))
    return {f"bulk:{row.id}": {"id": row.id, "action": row.action, "status": row.status} for row in rows}


def _last_seen(tx: Tx, rows: Sequence[Any]) -> dict[tuple[str, str], int]:
    if not rows:
        return {}
    places = [_version_of(row) for row in rows]
    asked = tuple_(versions.c.part, versions.c.version).in_(places)
    found = tx.execute(select(versions.c.part, versions.c.version, versions.c.last_at).where(asked))
    return {(row.part, row.version): row.last_at for row in found}


def _version_of(row: Any) -> tuple[str, str]:
    return (PROCESS, row.process or "") if row.what == PROCESS else (row.service or "", row.detail)


PROCESS = "process"
"""The part in `versions` whose versions are processes, and the `what` of their lines."""

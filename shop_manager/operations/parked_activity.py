"""Tells in the activity feed what was parked: looks every few seconds at what came, a line for each cause and minute.

Whoever parks knows nothing of the feed; each look sets whole minutes anew, so it may be done twice, or by several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import func, select

from domain.times import days, minutes
from messaging.database import Database, Tx
from shop_manager.engine import activity
from shop_manager.engine.tables import activity_schema, technical
from shop_manager.operations.parked_causes import reason_of

table, parked = activity_schema.lines, technical.parked
MINUTE = minutes(1)
AGAIN = minutes(2)
"""Looked at anew each time: a transaction that began in these minutes may be committed only now."""
EVERY = 3.0
"""Seconds between two looks."""
FIRST = days(7)
"""So far back the first look goes."""
REASONS = 20
"""Lines for one service and minute; what has other reasons is one line more: a flood of messages is none here."""
OTHERS = "for other reasons"


def telling_of_parked(database: Database) -> Callable[[], None]:
    """A tick that looks now and then."""
    due = float("-inf")

    def tick() -> None:
        nonlocal due
        if monotonic() >= due:
            due = monotonic() + EVERY
            tell_of_parked(database)

    return tick


def tell_of_parked(database: Database) -> None:
    """One look; it writes only what is new."""
    with database.read() as tx:
        rows = _news(tx, _parked_lately(tx, tx.now()))
    if rows:
        with database.begin() as tx:
            tx.upsert(table, rows, ["entry"], keep=["at", "began_at"])


def _news(tx: Tx, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines that are not told yet, or with another count."""
    names = [line["entry"] for line in lines]
    told = select(table.c.entry, table.c.count).where(table.c.entry.in_(names))
    known = {row.entry: row[1] for row in tx.execute(told)} if names else {}
    return [line for line in lines if known.get(line["entry"]) != line["count"]]


def _parked_lately(tx: Tx, now: int) -> list[dict[str, Any]]:
    told = table.c.kind == "parked", table.c.what == "parked"
    latest = tx.execute(select(table.c.at).where(*told).order_by(table.c.at.desc()).limit(1)).scalar()
    since = max(int(latest) - AGAIN if latest else 0, now - FIRST) // MINUTE * MINUTE
    minute = (parked.c.last_at - parked.c.last_at % MINUTE).label("minute")
    by = (minute, parked.c.service, parked.c.reason)
    found: Iterable[Any] = tx.execute(
        select(*by, func.count(), func.min(parked.c.last_at), func.max(parked.c.id))
        .where(parked.c.last_at >= since)
        .group_by(*by)
    )
    groups: dict[tuple[int, str], dict[str, _Group]] = {}
    for at, service, text, count, first, one in found:
        reasons, reason = groups.setdefault((at, service), {}), reason_of(text)
        reasons[reason] = reasons[reason].with_more(count, first) if reason in reasons else _Group(count, first, one)
    return [line for place, reasons in groups.items() for line in _lines(*place, reasons)]


class _Group(NamedTuple):
    """How many messages, when the first one was parked, and the id of one of them."""

    messages: int
    at: int
    one: str

    def with_more(self, count: int, at: int) -> _Group:
        return _Group(self.messages + count, min(self.at, at), self.one)


def _lines(minute: int, service: str, reasons: Mapping[str, _Group]) -> list[dict[str, Any]]:
    ordered = sorted(reasons.items(), key=lambda each: (-each[1].messages, each[0]))
    lines = [
        _line((minute, service, reason), group.messages, group.at, group.one if group.messages == 1 else None)
        for reason, group in ordered[:REASONS]
    ]
    rest = [group for _, group in ordered[REASONS:]]
    if rest:
        lines.append(
            _line((minute, service, OTHERS), sum(each.messages for each in rest), min(each.at for each in rest))
        )
    return lines


def _line(of: tuple[int, str, str], count: int, at: int, one: str | None = None) -> dict[str, Any]:
    """`of`: minute, service and reason; `one`: the id, when it is one message."""
    name = hashlib.sha256("/".join(map(str, of)).encode()).hexdigest()[:32]
    _, service, reason = of
    known = {"service": service, "detail": reason, "count": count, "target": one and f"parked:{one}"}
    return activity.line(at, "parked", "parked", entry=f"parked/{name}", **known)

"""Counts the Clerks that were opened, and that ended, per minute: every 10 s, by two index scans (docs/decisions/032).

Each count sets whole minutes anew, so it may be done twice, or by several ShopManagers at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from domain.times import days, minutes
from messaging.database import Database, Tx
from shop_manager.engine.tables import clerks, operations_schema
from shop_manager.operations.totals import add_up

MINUTE = minutes(1)
AGAIN = minutes(2)
"""Counted anew each time: a transaction that began in these minutes may be committed only now."""
PORTION = minutes(60)
KEPT = days(8)
EVERY = 10.0
"""Seconds between two counts."""
UNCOUNTED = 10_000
"""Ends that are not in the tallies yet are counted up to this, for who asks meanwhile."""
columns, table = clerks.c, operations_schema.tallies
OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Ends:
    """How many Clerks ended so, by status; `capped`: there are more, which could not be counted yet."""

    counts: Counter[str]
    capped: bool = False


def counting(database: Database) -> Callable[[], None]:
    """A tick that counts now and then; as long as it is behind, one portion at each tick."""
    due = float("-inf")

    def tick() -> None:
        nonlocal due
        if monotonic() >= due and count_lately(database):
            due = monotonic() + EVERY

    return tick


def count_lately(database: Database) -> bool:
    """One portion: from a little before what is counted already, up to an hour of it. True when that reached now."""
    with database.read() as tx:
        now = tx.now()
        begin = _counted_up_to(tx, now)
        end = min(now + 1, begin + PORTION)
        rows = _opened(tx, begin, end) + _ended(tx, begin, end)
    mark = {"minute": (end - 1) // MINUTE * MINUTE, "process": "", "what": "", "count": 0}
    with database.begin() as tx:
        tx.upsert(table, [*rows, mark], ["minute", "process", "what"])
        add_up(tx, begin)
        tx.execute(delete(table).where(table.c.minute < now - KEPT))
    return end > now


def ends_since(tx: Tx, since: int, now: int) -> Ends:
    """How many have ended so from `since` on: from the tallies, and what these do not hold yet over the index."""
    counted = max(since, _counted_up_to(tx, now))
    kept: Iterable[Any] = tx.execute(
        select(table.c.what, func.sum(table.c.count))
        .where(table.c.minute >= since, table.c.minute < counted, table.c.process != "", table.c.what != OPENED)
        .group_by(table.c.what)
    )
    counts = Counter({what: int(count) for what, count in kept})
    lately = select(columns.status).where(columns.ended_at >= counted)
    some = lately.limit(UNCOUNTED + 1).subquery()
    fresh: Iterable[Any] = tx.execute(select(some.c.status, func.count()).group_by(some.c.status))
    newly = Counter({status: int(count) for status, count in fresh})
    return Ends(counts + newly, capped=newly.total() > UNCOUNTED)


def counted_since(tx: Tx, since: int, now: int, width: int) -> list[tuple[int, str, str, int]]:
    """(index of the stretch of `width` ms, process, what, count) from `since` on: from the tallies, and what these do
    not hold yet over the indexes, unless that is more than a portion.
    """
    counted = max(since, _counted_up_to(tx, now))
    fresh = counted if now - counted <= PORTION else now + 1
    index = ((table.c.minute - since) // width).label("stretch")
    by = (index, table.c.process, table.c.what)
    kept: Iterable[Any] = tx.execute(
        select(*by, func.sum(table.c.count))
        .where(table.c.minute >= since, table.c.minute < fresh, table.c.process != "")
        .group_by(*by)
    )
    sums = Counter({(int(stretch), process, what): int(count) for stretch, process, what, count in kept})
    for row in _opened(tx, fresh, now + 1) + _ended(tx, fresh, now + 1):
        sums[(row["minute"] - since) // width, row["process"], row["what"]] += row["count"]
    return [(*key, count) for key, count in sums.items()]


def _counted_up_to(tx: Tx, now: int) -> int:
    latest = tx.execute(select(func.max(table.c.minute))).scalar_one()
    if latest is None:
        oldest = tx.execute(select(func.min(columns.opened_at))).scalar_one()
        begin = now if oldest is None else int(oldest)
    else:
        begin = int(latest) - AGAIN
    return max(begin, now - KEPT) // MINUTE * MINUTE


def _opened(tx: Tx, begin: int, end: int) -> list[dict[str, Any]]:
    minute = _minute_of(columns.opened_at)
    rows: Iterable[Any] = tx.execute(
        select(minute, columns.process, func.count())
        .where(columns.opened_at >= begin, columns.opened_at < end)
        .group_by(minute, columns.process)
    )
    return [{"minute": at, "process": process, "what": OPENED, "count": count} for at, process, count in rows]


def _ended(tx: Tx, begin: int, end: int) -> list[dict[str, Any]]:
    """Only Clerks that have ended have an `ended_at`, and a place in its index."""
    minute = _minute_of(columns.ended_at)
    rows: Iterable[Any] = tx.execute(
        select(minute, columns.process, columns.status, func.count())
        .where(columns.ended_at >= begin, columns.ended_at < end)
        .group_by(minute, columns.process, columns.status)
    )
    return [{"minute": at, "process": process, "what": what, "count": count} for at, process, what, count in rows]


def _minute_of(moment: ColumnElement[int]) -> ColumnElement[int]:
    return (moment - moment % MINUTE).label("minute")

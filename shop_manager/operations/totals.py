"""How many Clerks were opened, and ended, ever: the tallies of single minutes are forgotten, these sums only grow.

The minutes that no count sets anew any more are added up here, each once, however many ShopManagers count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from domain.times import minutes
from messaging.database import Tx
from shop_manager.engine.tables import operations_schema

EVERY = minutes(60)
"""So much is added up at once."""
LOCK = "totals"
table, tallies = operations_schema.totals, operations_schema.tallies


def add_up(tx: Tx, final: int) -> None:
    """Add the minutes before `final` (ms) that are not in the sums yet, when there is enough of it."""
    if final - _added_up_to(tx) < EVERY:
        return
    tx.lock([LOCK])
    since = _added_up_to(tx)  # another ShopManager may have been quicker
    if final - since < EVERY:
        return
    sums = _sums(tx) + _of_minutes(tx, since, final)
    rows = [{"process": process, "what": what, "count": count} for (process, what), count in sums.items()]
    tx.upsert(table, [*rows, {"process": "", "what": "", "count": final}], ["process", "what"])


def opens_and_ends_ever(tx: Tx) -> Counter[tuple[str, str]]:
    """By (process, `opened` or the status at the end)."""
    return _sums(tx) + _of_minutes(tx, _added_up_to(tx), None)


def _added_up_to(tx: Tx) -> int:
    """The mark: the row without a process holds a moment, in ms."""
    return int(tx.execute(select(table.c.count).where(table.c.process == "")).scalar_one_or_none() or 0)


def _sums(tx: Tx) -> Counter[tuple[str, str]]:
    rows: Iterable[Any] = tx.execute(select(table.c.process, table.c.what, table.c.count).where(table.c.process != ""))
    return Counter({(process, what): int(count) for process, what, count in rows})


def _of_minutes(tx: Tx, since: int, until: int | None) -> Counter[tuple[str, str]]:
    by = (tallies.c.process, tallies.c.what)
    wanted = [tallies.c.minute >= since, tallies.c.process != ""]
    if until is not None:
        wanted.append(tallies.c.minute < until)
    rows: Iterable[Any] = tx.execute(select(*by, func.sum(tallies.c.count)).where(*wanted).group_by(*by))
    return Counter({(process, what): int(count) for process, what, count in rows})

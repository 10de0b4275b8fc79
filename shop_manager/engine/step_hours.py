"""Adds up how long steps take, by hour, process, step and turn: counted in memory, and written now and then.

No turn of an order waits for it, and none costs a statement more. What a process has not written when it dies is lost.
"""

from __future__ import annotations

import math
from collections import Counter
from threading import Lock
from typing import NamedTuple

from sqlalchemy import delete, select

from domain.times import days, hours
from messaging.database import Database
from shop_manager.engine.tables import operations_schema

table = operations_schema.step_hours
HOUR = hours(1)
KEPT = days(8)
GROWTH = 1.15
"""Each bucket reaches so many times as far as the one before: a time that is read is right within 8 %."""
WHOLE = "whole"
"""The `turn` of a whole step, from the answer of the one before to its own, whoever had the turn meanwhile."""
FLUSH_EVERY = 10.0
"""Seconds."""
LOCK = "step_hours"
KEYS = ("hour", "process", "step", "turn", "bucket")


class Place(NamedTuple):
    """One count: a row of the table."""

    hour: int
    process: str
    step: str
    turn: str
    bucket: int


class StepHours:
    """Safe in any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[Place] = Counter()

    def took(self, at: int, process: str, step: str, turn: str, milliseconds: int) -> None:
        with self._lock:
            self._counts[Place(at - at % HOUR, process, step, turn, bucket_of(milliseconds))] += 1

    def flush(self, database: Database) -> None:
        """Writes what was counted since the last time; what could not be written is kept for the next."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            _add(database, counts)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise


def bucket_of(milliseconds: int) -> int:
    """0 for less than a millisecond."""
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds, GROWTH))


def milliseconds_of(bucket: int) -> int:
    """The middle of a bucket."""
    return 0 if bucket == 0 else round(GROWTH ** (bucket - 0.5))


def _add(database: Database, counts: Counter[Place]) -> None:
    with database.begin() as tx:
        now = tx.lock([LOCK])
        known = select(table).where(table.c.hour.in_({place.hour for place in counts}))
        before = {Place(*row[:5]): int(row[5]) for row in tx.execute(known)}
        rows = [{**place._asdict(), "count": counts[place] + before.get(place, 0)} for place in sorted(counts)]
        tx.upsert(table, rows, KEYS)
        tx.execute(delete(table).where(table.c.hour < now - KEPT))

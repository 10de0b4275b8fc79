"""How each cause of being stuck has grown within the last hour, of those that are stuck now."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import case, func, select

from domain.times import minutes
from messaging.database import Tx
from shop_manager.engine.tables import clerks

PART, PARTS = minutes(5), 12
"""The hour in parts: they begin at whole five minutes, so that a line stays as it is between them."""
columns = clerks.c
CauseParts = tuple[str, str, str, str]
"""(process, step, kind, code)."""


class Growth(NamedTuple):
    """`counts`: how many were stuck already at the end of each part, the last one now; `first`: the oldest Clerk."""

    counts: list[int]
    first: str


def parts_of(cause: Mapping[str, Any]) -> CauseParts:
    """Of a cause as summary.stuck_causes tells it."""
    return (cause["process"], cause["step"], cause["kind"], cause["code"])


def growth_of_causes(tx: Tx, now: int) -> dict[CauseParts, Growth]:
    """By cause. It reads the stuck Clerks only."""
    begin = now - now % PART - (PARTS - 1) * PART
    part = case((columns.stuck_since < begin, 0), else_=(columns.stuck_since - begin) // PART)
    by = (columns.process, columns.step, columns.stuck_kind, columns.stuck_code)
    rows = tx.execute(
        select(*by, part.label("part"), func.count(), func.min(columns.id))
        .where(columns.stuck_kind.isnot(None))
        .group_by(*by, part)
    )
    came: dict[CauseParts, list[int]] = {}
    first: dict[CauseParts, str] = {}
    for process, step, kind, code, at, count, clerk in rows:
        cause = (process, step, kind, code)
        came.setdefault(cause, [0] * PARTS)[min(int(at), PARTS - 1)] += int(count)
        first[cause] = min(first.get(cause, clerk), clerk)
    return {cause: Growth(list(accumulate(counts)), first[cause]) for cause, counts in came.items()}

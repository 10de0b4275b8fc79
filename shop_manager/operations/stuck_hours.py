"""How many Clerks became stuck at which step in which hour: from the activity, by its index of kind and time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from domain.times import hours, to_wire
from messaging.database import Tx
from shop_manager.engine.tables import activity_schema

COLUMNS = 24
c = activity_schema.lines.c


def stuck_hours(tx: Tx, since: int, now: int, steps: Sequence[str]) -> dict[str, Any]:
    """`{hours, at: [when], steps: [{step, counts: [how many]}]}`: a count for each stretch of so many full `hours`.

    The steps in the order of `steps`; those at which nobody became stuck are left out.
    """
    width = max(1, -(-(now - since) // hours(COLUMNS)))
    begins = list(range(since - since % hours(width), now + 1, hours(width)))
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    rows: Iterable[Any] = tx.execute(by_step(begins[0], hours(width)))
    for step, index, count in rows:
        counts[step or ""][int(index)] += int(count)
    known = {step: place for place, step in enumerate(steps)}
    ordered = sorted(counts, key=lambda step: (known.get(step, len(known)), step))
    return {
        "hours": width,
        "at": [to_wire(at) for at in begins],
        "steps": [{"step": step, "counts": [counts[step][index] for index in range(len(begins))]} for step in ordered],
    }


def by_step(begin: int, width: int) -> Select[Any]:
    """(step, index of the stretch of `width` ms, how many)."""
    index = (c.at - begin) // width
    return select(c.step, index, func.count()).where(c.kind == "stuck", c.at >= begin).group_by(c.step, index)

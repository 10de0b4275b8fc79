"""Parked messages that wait for a decision, grouped by cause: who has parked them, and why.

Two reasons that differ in a Clerk's id only are one cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import and_, select

from domain.times import to_wire
from messaging.database import Tx
from shop_manager.operations.parked_reads import decisions, read_versions, table

LOOKED_THROUGH = 10_000
"""Messages that are grouped: the latest ones."""
LONGEST = 200
COUNTED = ("count", "killers", "forged")
_CLERK = re.compile(r"clk_[0-9A-Za-z]+(?:/[!-~]*)?")


class ParkedCause(NamedTuple):
    service: str
    reason: str


def reason_of(text: str) -> str:
    """The reason without what differs from Clerk to Clerk: `there is no Clerk clk_…`."""
    return _CLERK.sub("clk_…", text)[:LONGEST].strip()


def open_causes(tx: Tx) -> list[dict[str, Any]]:
    """`{service, reason, count, killers, forged, first_at, last_at}`, the most first; of the latest LOOKED_THROUGH."""
    found: dict[ParkedCause, dict[str, Any]] = {}
    for row in _open(tx):
        cause = ParkedCause(row.service, reason_of(row.reason))
        moments = {"first_at": row.first_at, "last_at": row.last_at}
        group = found.setdefault(cause, {**cause._asdict(), **dict.fromkeys(COUNTED, 0), **moments})
        group["count"] += 1
        group["killers"] += bool(row.killer)
        group["forged"] += bool(row.forged)
        group["first_at"] = min(group["first_at"], row.first_at)
        group["last_at"] = max(group["last_at"], row.last_at)
    ordered = sorted(found.values(), key=lambda group: (-group["count"], group["first_at"]))
    return [{**group, **{name: to_wire(group[name]) for name in ("first_at", "last_at")}} for group in ordered]


def open_of_cause(tx: Tx, service: str | None, reason: str, most: int) -> list[tuple[str, int]]:
    """(id, version) of those that wait for this reason, of this service (None: of all), at most so many."""
    rows = (row for row in _open(tx) if service in (None, row.service) and reason_of(row.reason) == reason)
    ids = [row.id for row, _ in zip(rows, range(most), strict=False)]
    versions = read_versions(tx, ids)
    return [(parked, versions[parked]) for parked in ids]


def _open(tx: Tx) -> Iterator[Any]:
    names = ("id", "service", "reason", "killer", "forged", "first_at", "last_at")
    is_decided = and_(decisions.c.parked == table.c.id, decisions.c.at >= table.c.last_at)
    joined = table.outerjoin(decisions, is_decided)
    waiting = select(*(table.c[name] for name in names)).select_from(joined).where(decisions.c.parked.is_(None))
    yield from tx.execute(waiting.order_by(table.c.first_at.desc(), table.c.id.desc()).limit(LOOKED_THROUGH))

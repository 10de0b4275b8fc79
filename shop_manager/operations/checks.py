"""What `clerk verify` found last, kept for the dashboard: only that command reads all the databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, select

from domain.times import to_wire
from messaging.database import Tx
from shop_manager.engine.tables import operations_schema

KEPT = 20
MOST = 1_000
"""Drifts of one check that are kept; `found` says how many there were."""
table = operations_schema.checks


def record(
    tx: Tx,
    *,
    started_at: int,
    finished_at: int,
    clerks: int,
    drifts: Sequence[Mapping[str, str | None]],
    found: int | None = None,
) -> None:
    """Keep one outcome. Moments in ms; `clerks`: how many; a drift: `{invariant, clerk, expected, found, repair}`.

    `found`: how many drifts there were, where `drifts` are only the first of them.
    """
    kept = {"found": len(drifts) if found is None else found, "drifts": [dict(each) for each in drifts[:MOST]]}
    row = {
        "started_at": started_at,
        "finished_at": finished_at,
        "clerks": clerks,
        "drifts": orjson.dumps(kept).decode(),
    }
    [number] = tx.insert_numbered(table, [row], "number")
    tx.execute(delete(table).where(table.c.number <= number - KEPT))


def latest(tx: Tx) -> dict[str, Any] | None:
    """`{started_at, finished_at, clerks, found, drifts: […]}` of the last check; None when there never was one."""
    row = tx.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    if row is None:
        return None
    times = {"started_at": to_wire(row.started_at), "finished_at": to_wire(row.finished_at)}
    return {**times, "clerks": row.clerks, **orjson.loads(row.drifts)}

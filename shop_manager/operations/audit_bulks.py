"""The one line of a bulk act in the audit, with its items inside: how far it is, and what became of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from messaging.database import Tx
from shop_manager.engine.tables import operations_schema

INSIDE = 20
"""Items that a line shows; all are at `/ops/bulk/{id}`."""
bulks, items = operations_schema.bulks, operations_schema.bulk_items


def with_items(tx: Tx, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each line with `items`: null, or of a bulk act `{bulk, action, status, counts: {outcome: count}, first: […]}`.

    `first` are `{target, outcome, detail}`, the first INSIDE; an item that was not asked yet has no outcome, and counts
    as `left`.
    """
    names = {line["number"]: _bulk_of(line) for line in lines}
    wanted = sorted({name for name in names.values() if name})
    found = {name: _items_of(tx, name) for name in wanted}
    return [{**line, "items": found.get(names[line["number"]] or "")} for line in lines]


def _bulk_of(line: dict[str, Any]) -> str | None:
    kind, _, name = line["target"].partition(":")
    return name if kind == "bulk" and line["action"] == "bulk_preview" and line["outcome"] == "done" else None


def _items_of(tx: Tx, bulk: str) -> dict[str, Any] | None:
    head = tx.execute(select(bulks.c.action, bulks.c.status).where(bulks.c.id == bulk)).first()
    if head is None:
        return None
    mine = items.c.bulk == bulk
    counted = tx.execute(select(items.c.outcome, func.count()).where(mine).group_by(items.c.outcome)).all()
    shown = select(items.c.target, items.c.outcome, items.c.detail).where(mine).order_by(items.c.number).limit(INSIDE)
    return {
        "bulk": bulk,
        "action": head.action,
        "status": head.status,
        "counts": {outcome or "left": count for outcome, count in counted},
        "first": [{name: getattr(row, name) for name in ("target", "outcome", "detail")} for row in tx.execute(shown)],
    }

"""Who has which stuck Clerk, as it is read: with each line, and counted with each cause (docs/decisions/139)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from domain.times import to_wire
from http_api.principals import Principal, operator_key
from messaging.database import Tx
from shop_manager.engine.tables import COUNTS, clerks, operations_schema
from shop_manager.operations.claim import Claim
from shop_manager.saga.state import Saga

table = operations_schema.claims
CAUSE = ("process", "step", "kind", "code")


def key_of(who: Principal) -> str:
    """By what claims are told to be one's own."""
    return operator_key(who.stable_name)


def read_claims(tx: Tx, ids: Collection[str]) -> dict[str, Claim]:
    """Those that count, by Clerk."""
    if not ids:
        return {}
    rows = tx.execute(select(table).join(clerks, COUNTS).where(table.c.clerk.in_(ids)))
    return {row.clerk: Claim(row.who, row.who_key, row.at, row.snoozed_until) for row in rows}


def keep_claim(tx: Tx, before: Saga, after: Saga) -> None:
    """More time was given: a Clerk that is stuck no more for that alone stays with who has it."""
    if before.stuck and not after.stuck:
        of_that_time = (table.c.clerk == before.id, table.c.stuck_since == before.stuck.since)
        tx.execute(update(table).where(*of_that_time).values(step=before.stuck.step))


def with_claims(tx: Tx, causes: Sequence[Mapping[str, Any]], now: int) -> list[dict[str, Any]]:
    """The causes, each with `{claimed, snoozed, snoozed_until}`: how many somebody has, how many of them are put off,
    and until when the first of these is.
    """
    found: dict[tuple[str, ...], list[int | None]] = {}
    if causes:
        of_clerk = (clerks.c.process, clerks.c.step, clerks.c.stuck_kind, clerks.c.stuck_code)
        for *cause, until in tx.execute(select(*of_clerk, table.c.snoozed_until).join_from(clerks, table, COUNTS)):
            found.setdefault(tuple(cause), []).append(until)
    return [{**cause, **_counted(found.get(tuple(cause[name] for name in CAUSE), []), now)} for cause in causes]


def counted_together(causes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same of all causes."""
    moments = [cause["snoozed_until"] for cause in causes if cause["snoozed_until"]]
    sums = {name: sum(cause[name] for cause in causes) for name in ("claimed", "snoozed")}
    return {**sums, "snoozed_until": min(moments, default=None)}


def _counted(untils: Sequence[int | None], now: int) -> dict[str, Any]:
    off = [until for until in untils if until and until > now]
    return {"claimed": len(untils), "snoozed": len(off), "snoozed_until": to_wire(min(off)) if off else None}

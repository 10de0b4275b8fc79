"""The figures of the operators' home page: live Clerks by status, the stuck ones by cause with the money at risk.

No ended Clerk is scanned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import case, func, select

from domain.times import hours, to_wire
from messaging.database import Tx
from shop_manager.engine.tables import clerks
from shop_manager.operations.causes import explained
from shop_manager.operations.claim_rows import counted_together, with_claims
from shop_manager.operations.parked_reads import count_open
from shop_manager.operations.runbooks import RunbookShelf
from shop_manager.operations.stakes import stake_of
from shop_manager.operations.tallies import Ends
from shop_manager.operations.upcoming import LATE
from shop_manager.processes import ProcessRegistry
from shop_manager.sessions.listing import LIVE
from shop_manager.sessions.view import status_of

ENDS = ("completed", "canceled", "expired", "failed")
LATELY = hours(24)
"""Ends are counted that came within this time."""
STAKES = {"at_risk": "money_at_risk", "to_settle": "money_to_settle"}
MONEY = tuple(STAKES.values())
columns = clerks.c


def summary(tx: Tx, processes: ProcessRegistry, first_steps: Sequence[str], now: int, ends: Ends) -> dict[str, Any]:
    """The home page's figures. Live Clerks are counted all; `ends` are those since `now - LATELY`."""
    causes = with_claims(tx, stuck_causes(tx, processes, now), now)
    return {
        "checked_at": to_wire(now),
        "counts": live_by_status(tx, first_steps) | {status: ends.counts[status] for status in ENDS},
        "ends_since": to_wire(now - LATELY),
        "ends_capped": ends.capped,
        "stuck": {
            **stuck_totals(causes),
            "oldest_since": min((cause["oldest_since"] for cause in causes), default=None),
            **counted_together(causes),
            "causes": causes,
        },
        "parked": count_open(tx),
    }


def stuck_totals(causes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`{count, money_at_risk, money_to_settle}` of all causes together."""
    return {"count": sum(cause["count"] for cause in causes), **{name: _added_up(causes, name) for name in MONEY}}


def stuck_causes(tx: Tx, processes: ProcessRegistry, now: int) -> list[dict[str, Any]]:
    """Stuck Clerks by (process, step, service, kind, code), the most first; money by currency, in minor units.

    `money_at_risk` is what can be lost, `money_to_settle` that of orders which are paid and shipped (stakes.py).
    `means` says what it is, `owner` whose the next move is and `move` which, `then` what happens by itself meanwhile,
    and `next_at` when first; `runbook` and `responsible` are what was set for it, or null.
    """
    causes: dict[tuple[Any, ...], dict[str, Any]] = {}
    for process, step, kind, code, status, currency, count, since, money, wake_at in _stuck_groups(tx, now):
        cause = causes.setdefault(
            (process, step, kind, code),
            {
                "process": process,
                "step": step,
                "service": (service := _service(processes, process, step)),
                "kind": kind,
                "code": code,
                "count": 0,
                "since": since,
                **{name: {} for name in MONEY},
                **explained(kind, code, service, step),
                "next_at": wake_at,
            },
        )
        cause["count"] += int(count)
        cause["since"] = min(cause["since"], since)
        stake = stake_of(processes.by_reference.get(process), step, kind, undoing=status == "undoing")
        if stake in STAKES and money:
            sums = cause[STAKES[stake]]
            sums[currency] = sums.get(currency, 0) + int(money)
        cause["next_at"] = min((at for at in (cause["next_at"], wake_at) if at is not None), default=None)
    if not causes:
        return []
    ordered = sorted(causes.values(), key=lambda cause: (-cause["count"], cause["since"]))
    shelf = RunbookShelf(tx)
    return [_with_age(cause, now) | shelf.of_cause(cause) for cause in ordered]


def _stuck_groups(tx: Tx, now: int) -> Iterable[Any]:
    """(process, step, kind, code, status, currency, count, the longest since, sum of money, the first to wake)."""
    by = (columns.process, columns.step, columns.stuck_kind, columns.stuck_code, columns.status)
    groups: Iterable[Any] = tx.execute(
        select(
            *by,
            columns.currency,
            func.count(),
            func.min(columns.stuck_since),
            func.sum(columns.total),
            func.min(case((columns.wake_at >= now - LATE, columns.wake_at))),
        )
        .where(columns.stuck_kind.isnot(None))
        .group_by(*by, columns.currency)
    )
    return groups


def live_by_status(tx: Tx, first_steps: Sequence[str]) -> dict[str, int]:
    """How many Clerks have not ended, by the status that clients see."""
    counts = {"open": 0, "processing": 0, "requires_action": 0, "canceling": 0}
    by = (columns.status, columns.step, columns.waiting_for)
    rows: Iterable[Any] = tx.execute(select(*by, func.count()).where(columns.status.in_(LIVE)).group_by(*by))
    for status, step, waiting_for, count in rows:
        counts[status_of(status, step, waiting_for, first_steps)] += int(count)
    return counts


def _service(processes: ProcessRegistry, process: str, step: str) -> str | None:
    known = processes.by_reference.get(process)
    return next((each.asks for each in known.steps if each.name == step), None) if known else None


def _with_age(cause: dict[str, Any], now: int) -> dict[str, Any]:
    since, next_at = cause.pop("since"), cause["next_at"]
    cause["next_at"] = None if next_at is None else to_wire(next_at)
    return {**cause, "oldest_since": to_wire(since), "oldest_seconds": max(0, now - since) // 1000}


def _added_up(causes: Sequence[Mapping[str, Any]], name: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for cause in causes:
        for currency, money in cause[name].items():
            sums[currency] = sums.get(currency, 0) + money
    return sums

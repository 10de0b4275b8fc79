"""What operators read of many Clerks: one line each, and the figures of the home page. No ended Clerk is scanned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select

from domain.times import hours, to_wire
from messaging.database import Tx
from shop_manager.causes import explained
from shop_manager.listing import LIVE
from shop_manager.parked_reads import count_open
from shop_manager.processes import Catalogue
from shop_manager.public import status_of
from shop_manager.store import clerks

ENDS = ("completed", "canceled", "expired", "failed")
LATELY = hours(24)
"""Ends are counted that came within this time."""
LINE = (
    "id", "status", "step", "waiting_for", "process", "shop", "customer", "total", "currency", "opened_at",
    "updated_at", "wake_at", "version", "stuck_kind", "state",
)  # fmt: skip
columns = clerks.c


@dataclass(frozen=True, slots=True)
class Ends:
    """How many ended so, by status; `capped`: there are more, which could not be counted yet."""

    counts: Counter[str]
    capped: bool = False


def read_lines(tx: Tx, ids: Sequence[str], first_steps: Sequence[str]) -> list[dict[str, Any]]:
    """The items of `GET /ops/clerks`, in the order of the ids."""
    if not ids:
        return []
    rows = tx.execute(select(*(columns[name] for name in LINE)).where(columns.id.in_(ids)))
    found = {row.id: line(row._asdict(), first_steps) for row in rows}
    return [found[clerk] for clerk in ids if clerk in found]


def line(row: Mapping[str, Any], first_steps: Sequence[str]) -> dict[str, Any]:
    """One Clerk as dashboard.md has it; `status` is the public one, being stuck stands beside it."""
    return {
        "id": row["id"],
        "status": status_of(row["status"], row["step"], row["waiting_for"], first_steps),
        "stuck": stuck(orjson.loads(row["state"])["stuck"]) if row["stuck_kind"] else None,
        "step": row["step"],
        "waiting_for": row["waiting_for"],
        "process": row["process"],
        "shop": row["shop"],
        "customer": row["customer"],
        "total": row["total"],
        "currency": row["currency"],
        "created_at": to_wire(row["opened_at"]),
        "updated_at": to_wire(row["updated_at"]),
        "next_wake_at": None if row["wake_at"] is None else to_wire(row["wake_at"]),
        "version": row["version"],
    }


def stuck(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`{since, kind, step, service, code, detail}`."""
    if found is None:
        return None
    return {"since": to_wire(found["since"])} | {
        name: found[name] for name in ("kind", "step", "service", "code", "detail")
    }


def summary(tx: Tx, catalogue: Catalogue, first_steps: Sequence[str], now: int, ends: Ends) -> dict[str, Any]:
    """The home page's figures. Live Clerks are counted all; `ends` are those since `now - LATELY`."""
    causes = stuck_causes(tx, catalogue, now)
    return {
        "checked_at": to_wire(now),
        "counts": _live(tx, first_steps) | {status: ends.counts[status] for status in ENDS},
        "ends_since": to_wire(now - LATELY),
        "ends_capped": ends.capped,
        "stuck": {
            "count": sum(cause["count"] for cause in causes),
            "oldest_since": min((cause["oldest_since"] for cause in causes), default=None),
            "money_at_risk": _added_up(causes),
            "causes": causes,
        },
        "parked": count_open(tx),
    }


def stuck_causes(tx: Tx, catalogue: Catalogue, now: int) -> list[dict[str, Any]]:
    """Stuck Clerks by (process, step, service, kind, code), the most first; money by currency, in minor units.

    `means` says what it is, `owner` whose the next move is and `move` which, `then` what happens by itself meanwhile,
    and `next_at` when first.
    """
    by = (columns.process, columns.step, columns.stuck_kind, columns.stuck_code)
    rows: Iterable[Any] = tx.execute(
        select(
            *by,
            columns.currency,
            func.count(),
            func.min(columns.stuck_since),
            func.sum(columns.total),
            func.min(columns.wake_at),
        )
        .where(columns.stuck_kind.isnot(None))
        .group_by(*by, columns.currency)
    )
    causes: dict[tuple[Any, ...], dict[str, Any]] = {}
    for process, step, kind, code, currency, count, since, money, wake_at in rows:
        cause = causes.setdefault(
            (process, step, kind, code),
            {
                "process": process,
                "step": step,
                "service": (service := _service(catalogue, process, step)),
                "kind": kind,
                "code": code,
                "count": 0,
                "since": since,
                "money_at_risk": {},
                **explained(kind, code, service, step),
                "next_at": wake_at,
            },
        )
        cause["count"] += int(count)
        cause["since"] = min(cause["since"], since)
        cause["money_at_risk"][currency] = int(money or 0)
        cause["next_at"] = min((at for at in (cause["next_at"], wake_at) if at is not None), default=None)
    ordered = sorted(causes.values(), key=lambda cause: (-cause["count"], cause["since"]))
    return [_with_age(cause, now) for cause in ordered]


def _live(tx: Tx, first_steps: Sequence[str]) -> dict[str, int]:
    counts = {"open": 0, "processing": 0, "requires_action": 0, "canceling": 0}
    by = (columns.status, columns.step, columns.waiting_for)
    rows: Iterable[Any] = tx.execute(select(*by, func.count()).where(columns.status.in_(LIVE)).group_by(*by))
    for status, step, waiting_for, count in rows:
        counts[status_of(status, step, waiting_for, first_steps)] += int(count)
    return counts


def _service(catalogue: Catalogue, process: str, step: str) -> str | None:
    known = catalogue.by_reference.get(process)
    return next((each.asks for each in known.steps if each.name == step), None) if known else None


def _with_age(cause: dict[str, Any], now: int) -> dict[str, Any]:
    since, next_at = cause.pop("since"), cause["next_at"]
    cause["next_at"] = None if next_at is None else to_wire(next_at)
    return {**cause, "oldest_since": to_wire(since), "oldest_seconds": max(0, now - since) // 1000}


def _added_up(causes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for cause in causes:
        for currency, money in cause["money_at_risk"].items():
            sums[currency] = sums.get(currency, 0) + money
    return sums

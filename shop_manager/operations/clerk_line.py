"""One Clerk as a line of the operators' list: the same from its row in the database and from its saga. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from domain.times import to_wire
from shop_manager.engine.rows import listed
from shop_manager.operations.claim import Claim
from shop_manager.operations.upcoming import promised
from shop_manager.saga.state import Saga
from shop_manager.sessions.view import status_of

COLUMNS = (
    "id", "status", "step", "waiting_for", "process", "shop", "customer", "client_reference", "total", "currency",
    "opened_at", "updated_at", "wake_at", "version", "stuck_kind", "state",
)  # fmt: skip


def line_of_row(row: Mapping[str, Any], first_steps: Sequence[str], now: int, claim: Claim | None) -> dict[str, Any]:
    """`row` has the COLUMNS of `clerks`. `first_steps`: the names of the steps at which a session is `open`.

    `claim`: who has it, if somebody does.
    """
    stuck = orjson.loads(row["state"])["stuck"] if row["stuck_kind"] else None
    return {**_line(row, stuck, first_steps, now), "claim": claim.as_json(now) if claim else None}


def line_of(saga: Saga, first_steps: Sequence[str], now: int, claim: Claim | None) -> dict[str, Any]:
    """The line of a Clerk that was read whole."""
    stuck = asdict(saga.stuck) if saga.stuck else None
    line = _line({"id": saga.id, **listed(saga)}, stuck, first_steps, now)
    return {**line, "claim": claim.as_json(now) if claim else None}


def _line(
    columns: Mapping[str, Any], stuck: Mapping[str, Any] | None, first_steps: Sequence[str], now: int
) -> dict[str, Any]:
    """As `GET /ops/clerks` has it; `status` is the public one, and whether it is stuck stands beside it."""
    wakes = promised(columns["wake_at"], now)
    return {
        "id": columns["id"],
        "status": status_of(columns["status"], columns["step"], columns["waiting_for"], first_steps),
        "stuck": None if stuck is None else _stuck(stuck),
        "step": columns["step"],
        "waiting_for": columns["waiting_for"],
        "process": columns["process"],
        "shop": columns["shop"],
        "customer": columns["customer"],
        "client_reference": columns["client_reference"],
        "total": columns["total"],
        "currency": columns["currency"],
        "created_at": to_wire(columns["opened_at"]),
        "updated_at": to_wire(columns["updated_at"]),
        "next_wake_at": None if wakes is None else to_wire(wakes),
        "version": columns["version"],
    }


def _stuck(stuck: Mapping[str, Any]) -> dict[str, Any]:
    """`{since, kind, step, service, code, detail}`."""
    named = {name: stuck[name] for name in ("kind", "step", "service", "code", "detail")}
    return {"since": to_wire(stuck["since"]), **named}

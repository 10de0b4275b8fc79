"""Reads parked messages for operators, each with what was decided about it. None is ever deleted."""

from __future__ import annotations

from base64 import b64encode
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Select, and_, func, select

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from domain.times import to_wire
from messaging.database import Tx
from shop_manager.engine.tables import operations_schema, technical

ParkedState = Literal["parked", "replayed", "discarded"]
OTHER = "other"
"""Whoever is none of ours."""
KEPT_OF_BODY = 2_000
"""Bytes of the body in a list; one alone is shown with all that was kept."""
table, decisions = technical.parked, operations_schema.parked_decisions
_NAMES = ("id", "service", "queue", "reason", "message", "size", "times", "killer", "first_at", "last_at", "sender",
          "forged")  # fmt: skip
_IS_DECIDED = decisions.c.at >= table.c.last_at  # what was parked again after the decision is open once more


def count_open(tx: Tx) -> int:
    """How many wait for a decision."""
    joined = table.outerjoin(decisions, and_(decisions.c.parked == table.c.id, _IS_DECIDED))
    waiting = select(func.count()).select_from(joined).where(decisions.c.parked.is_(None))
    return int(tx.execute(waiting).scalar_one())


def open_by_service(tx: Tx) -> dict[str, int]:
    """How many wait for a decision, by the participant that has parked them; each is there, be it with 0."""
    joined = table.outerjoin(decisions, and_(decisions.c.parked == table.c.id, _IS_DECIDED))
    waiting = select(table.c.service, func.count()).select_from(joined).where(decisions.c.parked.is_(None))
    found: Counter[str] = Counter(dict.fromkeys((SHOP_MANAGER, *SERVICES), 0))
    rows: Iterable[Any] = tx.execute(waiting.group_by(table.c.service))
    for service, count in rows:
        found[service if service in found else OTHER] += int(count)
    return dict(found)


def read_parked(
    tx: Tx, state: ParkedState | None, service: str | None, limit: int, before: tuple[int, str] | None
) -> list[Mapping[str, Any]]:
    """Rows for `parked_line`, the latest first, of this state and service (None: of all)."""
    rows = _rows(KEPT_OF_BODY).order_by(table.c.first_at.desc(), table.c.id.desc()).limit(limit)
    if state is not None:
        rows = rows.where(decisions.c.state.is_(None) if state == "parked" else decisions.c.state == state)
    if service is not None:
        rows = rows.where(table.c.service == service)
    if before is not None:
        at, last = before
        rows = rows.where((table.c.first_at < at) | ((table.c.first_at == at) & (table.c.id < last)))
    return [row._asdict() for row in tx.execute(rows)]


def read_one(tx: Tx, parked: str) -> Mapping[str, Any] | None:
    """The row of one with all of its body that was kept."""
    row = tx.execute(_rows(None).where(table.c.id == parked)).first()
    return row._asdict() if row else None


def read_versions(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    """The versions of those that there are."""
    return {row.id: version_of(row._asdict()) for row in tx.execute(_rows(0).where(table.c.id.in_(ids)))}


def clerks_of(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    """By parked message: the Clerk that its message's id names."""
    rows: Iterable[Any] = tx.execute(select(table.c.id, table.c.message).where(table.c.id.in_(ids)))
    return {parked: message.split("/", 1)[0] for parked, message in rows if message}


def state_of(row: Mapping[str, Any]) -> ParkedState:
    return row["state"] or "parked"


def version_of(row: Mapping[str, Any]) -> int:
    """Counts what happened to it: each parking, and the decision after the last one."""
    return 2 * int(row["times"]) + (row["state"] is not None)


def parked_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """`{id, service, queue, reason, message, clerk, size, times, killer, forged, sender, first_at, last_at, body,
    encoding, body_cut, state, decision: null|{at, who, reason, effect}, version}`.

    `body` is its beginning as text, or in base64 when it is none: `encoding` says which. `state` is parked, replayed
    or discarded; `clerk` is the Clerk whose message it is, where that is known. `sender` is the broker's user who sent
    it, null where that is not known; `forged`: that user may not say it.
    """
    beginning = bytes(row["body"] or b"")  # SQLite makes NULL of a part of no bytes
    cut = len(beginning) < row["size"]
    encoding, text = _readable(beginning, cut)
    return {
        **{name: row[name] for name in ("id", "service", "queue", "reason", "message", "size", "times")},
        "clerk": row["message"].split("/", 1)[0] if row["message"] else None,
        "killer": bool(row["killer"]),
        "forged": bool(row["forged"]),
        "sender": row["sender"],
        "first_at": to_wire(row["first_at"]),
        "last_at": to_wire(row["last_at"]),
        "body": text,
        "encoding": encoding,
        "body_cut": cut,
        "state": state_of(row),
        "decision": _decision(row),
        "version": version_of(row),
    }


def _rows(kept: int | None) -> Select[Any]:
    body = (table.c.body if kept is None else func.substr(table.c.body, 1, kept)).label("body")
    decided = (decisions.c.state, decisions.c.at.label("decided_at"), decisions.c.who, decisions.c.reason.label("why"))
    joined = table.outerjoin(decisions, and_(decisions.c.parked == table.c.id, _IS_DECIDED))
    return select(*(table.c[name] for name in _NAMES), body, *decided, decisions.c.effect).select_from(joined)


def _decision(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["state"] is None:
        return None
    return {"at": to_wire(row["decided_at"]), "who": row["who"], "reason": row["why"], "effect": row["effect"]}


def _readable(beginning: bytes, cut: bool) -> tuple[str, str]:
    try:  # a cut may go through the middle of a character: the incomplete end is left out
        return "utf-8", getincrementaldecoder("utf-8")().decode(beginning, final=not cut)
    except UnicodeDecodeError:
        return "base64", b64encode(beginning).decode()

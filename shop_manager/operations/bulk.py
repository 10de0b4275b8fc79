"""Bulk acts (O4): a preview that freezes the ids, a start with a pace, a stop, and the progress with each outcome.

bulk_run.py carries them out.
"""

from __future__ import annotations

import secrets
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import orjson
from sqlalchemy import func, select, update

from domain.times import to_wire
from http_api.conventions import decode_cursor, encode_cursor, page
from http_api.principals import Principal
from http_api.problems import Problem, invalid, not_found
from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.tables import operations_schema
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.bulk_claims import claimed_in, of_others, with_claims_of
from shop_manager.operations.bulk_outcome import Outcome
from shop_manager.operations.claim_rows import key_of
from shop_manager.operations.clerk_reads import read_lines
from shop_manager.operations.parked_causes import open_of_cause
from shop_manager.operations.parked_reads import read_parked, read_versions, version_of
from shop_manager.operations.requests import MOST, BulkAsk, BulkFilter, act_of
from shop_manager.operations.roles import require
from shop_manager.saga.happenings import Extend
from shop_manager.saga.operator_acts import LONGEST, why_not
from shop_manager.sessions.listing import NEWEST, page_of
from shop_manager.sessions.reads import Sessions

PARKED = ("replay", "discard")
MOVES = {"start": (("preview", "stopped"), "running"), "stop": (("running",), "stopped")}
"""(from which status, to which one)."""
bulks, items = operations_schema.bulks, operations_schema.bulk_items
_NAMES = ("id", "action", "reason", "who", "status", "per_minute", "count")


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a preview holds: (id, version) of each, and the money of the Clerks by currency in minor units.

    `why_not`: by id, why the act is not allowed to it; their money is not counted.
    """

    found: Sequence[tuple[str, int]]
    money: Mapping[str, int]
    why_not: Mapping[str, str] = field(default_factory=dict)


class Bulk:
    """`preview` freezes, `start` lets it run (again after a `stop`), `read` says how far it is. Acts need an admin."""

    def __init__(self, sessions: Sessions) -> None:
        self.database = sessions.manager.database
        self.first_steps = sessions.first_steps

    def preview(self, who: Principal, asked: BulkAsk) -> dict[str, Any]:
        """Nothing is done yet. Problem 422 for unknown ids, none or both of ids and filter, or more than MOST."""
        self.require(who, "bulk_preview", "new")
        if (asked.ids is None) == (asked.filter is None):
            raise invalid("$.filter", "either a filter or ids are needed")
        # What is wrong with it is said now
        act = None if asked.action in PARKED else act_of(asked.action, asked.reason, asked.parameters())
        name = "blk_" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))
        with self.database.begin() as tx:
            if isinstance(act, Extend) and not tx.now() < act.until <= tx.now() + LONGEST:
                raise invalid("$.until", "a moment within the next 90 days is needed")
            frozen = self._freeze(tx, asked, key_of(who))
            self._keep(tx, name, who, asked, frozen)
            after = {"action": asked.action, "count": len(frozen.found), "money": dict(frozen.money)}
            record(tx, who, AuditLine("bulk_preview", f"bulk:{name}", reason=asked.reason, after=after), tx.now())
        return self.read(name)

    def start(self, who: Principal, bulk: str, per_minute: int) -> dict[str, Any]:
        """From now on that many a minute. Problem 409 when it has run already; running already is fine."""
        return self._move(who, bulk, "start", per_minute)

    def stop(self, who: Principal, bulk: str) -> dict[str, Any]:
        """What is done stays done. Again is the same answer; Problem 409 unless it runs."""
        return self._move(who, bulk, "stop", None)

    def read(self, bulk: str, *, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """`{id, action, params, reason, who, status, per_minute, count, money, created_at, started_at, finished_at,
        progress: {asked, healed, still_stuck, changed, not_allowed, done, failed, left},
        claimed: [{who, count}], items: page of {number, target, version, outcome, detail, at, claim}}`.

        `status` is preview, running, stopped, following (all were asked, and not all are known yet) or finished. The
        outcomes are those of bulk_outcome.py; `left` were not asked yet.
        """
        after = decode_cursor(cursor, (int,))[0] if cursor else -1
        with self.database.read() as tx:
            row = tx.execute(select(bulks).where(bulks.c.id == bulk)).first()
            if row is None:
                raise not_found()
            counts: dict[Any, int] = dict(
                tx.execute(
                    select(items.c.outcome, func.count()).where(items.c.bulk == bulk).group_by(items.c.outcome)
                ).all()
            )
            some = select(items).where(items.c.bulk == bulk, items.c.number > after).order_by(items.c.number)
            lines = [row._asdict() for row in tx.execute(some.limit(limit + 1))]
            if row.action in PARKED:
                lines = _with_effects(tx, lines)
            lines, claimed = with_claims_of(tx, lines), claimed_in(tx, bulk)
        following = encode_cursor((lines[limit - 1]["number"],)) if len(lines) > limit else None
        progress = {name: counts.get(name, 0) for name in get_args(Outcome)}
        shown = page([_item(line) for line in lines], limit, following)
        progress["left"] = counts.get(None, 0)
        return {**_head(row._asdict()), "progress": progress, "claimed": claimed, "items": shown}

    def latest(self, limit: int = 20) -> list[dict[str, Any]]:
        """The latest bulk acts, without their items."""
        with self.database.read() as tx:
            rows = tx.execute(select(bulks).order_by(bulks.c.created_at.desc(), bulks.c.id).limit(limit))
            return [_head(row._asdict()) for row in rows]

    def require(self, who: Principal, action: str, bulk: str) -> None:
        """Problem `forbidden` for who is no admin; the attempt is written down."""
        require(self.database, who, "admin", action, f"bulk:{bulk}")

    # --- freezing --------------------------------------------------------------------------------------------------

    def _freeze(self, tx: Tx, asked: BulkAsk, operator: str) -> Frozen:
        if asked.action in PARKED:
            if asked.leave_claimed:
                raise invalid("$.leave_claimed", "this is for Clerks only")
            return _parked(tx, asked)
        named = list(dict.fromkeys(asked.ids or []))
        ids = named or self._found(tx, asked.filter or BulkFilter(), operator)
        lines = read_lines(tx, ids, self.first_steps)
        _check_known(ids, [line["id"] for line in lines])
        refused = _why_not(tx, ids, asked.action)
        if asked.leave_claimed:
            refused = {**of_others(tx, ids, operator), **refused}
        money: Counter[str] = Counter()
        for line in lines:
            if line["id"] not in refused:
                money[line["currency"]] += line["total"] or 0
        return Frozen([(line["id"], line["version"]) for line in lines], money, refused)

    def _found(self, tx: Tx, wanted: BulkFilter, operator: str) -> list[str]:
        for name in ("service", "parked_reason"):
            if getattr(wanted, name) is not None:
                raise invalid(f"$.filter.{name}", "this is for parked messages only")
        found: list[str] = []
        cursor: str | None = None
        those = wanted.clerks(tx.now(), operator)
        while True:
            ids, cursor = page_of(tx, those, NEWEST, limit=200, cursor=cursor, first_steps=self.first_steps)
            found += ids
            if len(found) > MOST:
                raise invalid("$.filter", f"more than {MOST} Clerks are found: narrow it")
            if cursor is None:
                return found

    def _keep(self, tx: Tx, name: str, who: Principal, asked: BulkAsk, frozen: Frozen) -> None:
        params = asked.model_dump(exclude={"action", "reason", "ids"}, exclude_defaults=True)
        row = {
            "id": name,
            "action": asked.action,
            "params": orjson.dumps(params).decode(),
            "reason": asked.reason,
            "who": who.name or who.kind,
            "status": "preview",
            "created_at": tx.now(),
            "count": len(frozen.found),
            "money": orjson.dumps(dict(frozen.money)).decode(),
        }
        tx.insert(bulks, [row])
        now = tx.now()
        numbered = enumerate(frozen.found)
        tx.insert(items, [{"bulk": name, "number": number, **_first(each, frozen, now)} for number, each in numbered])

    # --- starting and stopping -------------------------------------------------------------------------------------

    def _move(self, who: Principal, bulk: str, action: str, per_minute: int | None) -> dict[str, Any]:
        self.require(who, f"bulk_{action}", bulk)
        of, to = MOVES[action]
        with self.database.begin() as tx:
            tx.lock([f"bulk:{bulk}"])
            row = tx.execute(select(bulks).where(bulks.c.id == bulk)).first()
            if row is None:
                raise not_found()
            allowed = row.status in of
            detail = "" if allowed or row.status == to else f"it is {row.status}"
            if allowed:
                _write_status(tx, bulk, to, per_minute)
            outcome = "not_allowed_now" if detail else "done"
            states = ({"status": row.status}, {"status": to if allowed else row.status, "per_minute": per_minute})
            record(
                tx,
                who,
                AuditLine(f"bulk_{action}", f"bulk:{bulk}", outcome, row.reason, detail, None, *states, bulk=bulk),
                tx.now(),
                {"count": row.count} if allowed else None,
            )
        if detail:
            raise Problem("not_allowed_now", f"It cannot {action}: {detail}.")
        return self.read(bulk)


def _write_status(tx: Tx, bulk: str, to: str, per_minute: int | None) -> None:
    values: dict[str, Any] = {"status": to, "next_at": None}
    if to == "running":
        values = {"status": to, "next_at": tx.now(), "per_minute": per_minute, "started_at": tx.now()}
    tx.execute(update(bulks).where(bulks.c.id == bulk).values(**values))


def _parked(tx: Tx, asked: BulkAsk) -> Frozen:
    if asked.ids:
        versions = read_versions(tx, asked.ids)
        _check_known(asked.ids, list(versions))
        return Frozen(list(versions.items()), {})
    wanted = asked.filter or BulkFilter()
    if wanted.model_dump(exclude={"service", "parked_reason"}, exclude_none=True):
        raise invalid("$.filter", "parked messages are found by their service and their parked_reason only")
    if wanted.parked_reason is not None:
        found = open_of_cause(tx, wanted.service, wanted.parked_reason, MOST + 1)
    else:
        found = [(row["id"], version_of(row)) for row in read_parked(tx, "parked", wanted.service, MOST + 1, None)]
    if len(found) > MOST:
        raise invalid("$.filter", f"more than {MOST} messages are found: name their ids")
    return Frozen(found, {})


def _why_not(tx: Tx, ids: Sequence[str], action: str) -> dict[str, str]:
    """By id, why this act is not allowed to the Clerk as it is now."""
    found: dict[str, str] = {}
    for first in range(0, len(ids), 200):
        for clerk, versioned in store.read(tx, ids[first : first + 200]).items():
            refused = why_not(versioned.saga, action)
            if refused:
                found[clerk] = refused.detail
    return found


def _first(found: tuple[str, int], frozen: Frozen, now: int) -> dict[str, Any]:
    """An item as it is at the preview: one to which the act is not allowed has its outcome already."""
    target, version = found
    why = frozen.why_not.get(target)
    outcome, at = ("not_allowed", now) if why else (None, None)
    return {"target": target, "version": version, "outcome": outcome, "detail": why, "at": at}


def _with_effects(tx: Tx, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items of parked messages, those that are done with what it led to: whether it was taken, or nobody asks it."""
    decided = operations_schema.parked_decisions
    ids = [line["target"] for line in lines if line["outcome"] == "done"]
    rows = tx.execute(select(decided.c.parked, decided.c.effect).where(decided.c.parked.in_(ids)))
    effects = {row.parked: row.effect for row in rows}
    return [{**line, "detail": line["detail"] or effects.get(line["target"], "")} for line in lines]


def _check_known(asked: Sequence[str], found: Sequence[str]) -> None:
    unknown = sorted(set(asked) - set(found))
    if unknown:
        raise invalid("$.ids", f"not known: {', '.join(unknown[:5])}")


def _head(row: Mapping[str, Any]) -> dict[str, Any]:
    times = ("created_at", "started_at", "finished_at")
    return {
        **{name: row[name] for name in _NAMES},
        "params": orjson.loads(row["params"]),
        "money": orjson.loads(row["money"]),
        **{name: None if row[name] is None else to_wire(row[name]) for name in times},
    }


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    line = {name: row[name] for name in ("number", "target", "version", "outcome", "detail", "claim")}
    return {**line, "at": None if row["at"] is None else to_wire(row["at"])}

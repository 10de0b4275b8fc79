"""What the provider gateway reads and changes in the tables: calls, whether they are due, and the provider's events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import RowMapping, bindparam, select, update

from messaging.database import Tx
from messaging.database_time import NOW
from messaging.statements import KEYS
from payment_service.provider import ANSWER_LIMIT_MS, Call
from payment_service.store import CallRecord, CallState, provider_calls, provider_events

_CALLS = select(provider_calls).where(provider_calls.c.key.in_(KEYS))
_NEXT_TRY = provider_calls.c.next_try_at
_UNANSWERED = select(provider_calls).order_by(_NEXT_TRY).limit(bindparam("most"))
_OPEN = _UNANSWERED.where(_NEXT_TRY.is_not(None))
_DUE = _UNANSWERED.where(_NEXT_TRY <= NOW)
_ASKED_SINCE = (
    select(provider_calls)
    .where(
        _NEXT_TRY.is_not(None),
        provider_calls.c.kind.in_(("authorize", "charge")),
        provider_calls.c.asked_at > bindparam("since"),
        provider_calls.c.asked_at <= NOW - bindparam("ago"),
    )
    .order_by(provider_calls.c.asked_at)
    .limit(bindparam("most"))
)
_HAND_AGAIN = (
    update(provider_calls)
    .where(provider_calls.c.key.in_(KEYS), _NEXT_TRY.is_not(None))
    .values(state="handed", tries=provider_calls.c.tries + 1, next_try_at=bindparam("again_at"))
)


def lock_and_read_calls(tx: Tx, locks: Iterable[str], keys: Iterable[str]) -> tuple[int, dict[str, CallRecord]]:
    """The time after the locks, and `read_calls`."""
    now, rows = tx.lock_and_read(locks, _CALLS, {"keys": sorted(keys)})
    return now, {row.key: _from_row(row._mapping) for row in rows}


def read_calls(tx: Tx, keys: Iterable[str]) -> dict[str, CallRecord]:
    rows = tx.execute(_CALLS, {"keys": sorted(keys)}).mappings()
    return {row["key"]: _from_row(row) for row in rows}


def unanswered(tx: Tx, limit: int, *, due: bool) -> list[CallRecord]:
    """Calls without an answer, with `due` only those whose time has come; the earliest first, at most `limit`."""
    return [_from_row(row) for row in tx.execute(_DUE if due else _OPEN, {"most": limit}).mappings()]


def asked_since(tx: Tx, since: int, ago: int, limit: int) -> list[CallRecord]:
    """Calls for a customer's money without an answer, first made after `since` and at least `ago` ms ago, in order."""
    rows = tx.execute(_ASKED_SINCE, {"since": since, "ago": ago, "most": limit})
    return [_from_row(row) for row in rows.mappings()]


def hand_again(tx: Tx, records: Sequence[CallRecord], now: int) -> None:
    """Note that the calls go to the provider once more, but those that were answered or dropped meanwhile."""
    keys = sorted(record.call.key for record in records)
    tx.execute(_HAND_AGAIN, {"keys": keys, "again_at": now + ANSWER_LIMIT_MS})


def remember_event(tx: Tx, event: str, key: str, now: int) -> bool:
    """False when this event of the provider was taken before."""
    return tx.insert_new(provider_events, [{"id": event, "key": key, "received_at": now}], ["id"]) == 1


def _from_row(row: RowMapping) -> CallRecord:
    call = Call(row["key"], row["kind"], row["payment"], row["amount"], row["currency"], row["token"])
    return CallRecord(
        call,
        row["clerk"],
        cast(CallState, row["state"]),
        row["tries"],
        row["asked_at"],
        row["next_try_at"],
        row["outcome"],
        row["reason"],
    )

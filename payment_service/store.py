"""Where payments are kept: tables and queries, one of each a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    select,
    update,
)

from domain.messages import Command
from doors.keys import key_tables
from messaging.database import KEYS, Tx
from messaging.schema import technical_tables
from messaging.turns import turns_table
from payment_service.ledger import ledger_table, outages_table
from payment_service.payment import Move, Payment
from payment_service.provider import ANSWER_LIMIT_MS, Call, Outcome

metadata = MetaData()
schema = technical_tables(metadata)
key_tables(metadata)
turns = turns_table(metadata)
ledger = ledger_table(metadata)
outages = outages_table(metadata)
payments = Table(
    "payments",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("step", String(128), nullable=False),
    Column("reference", String(140), nullable=False),
    Column("status", String(16), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("deadline", BigInteger),
    Column("collects", Boolean, nullable=False),
    Column("brought", Boolean, nullable=False),
    Column("token", String(255)),
    Column("brand", String(32)),
    Column("last4", String(4)),
    Column("declined", Text),
    Column("tries", Integer, nullable=False),
    Column("calling", String(255)),
    Column("capture_step", String(128)),
    Column("undo_asked", Boolean, nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("authorized", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("voided", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
payment_trail = Table(
    "payment_trail",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("session", String(128), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
provider_calls = Table(
    "provider_calls",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("clerk", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("payment", String(140), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("token", String(255)),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("next_try_at", BigInteger, index=True),  # only calls without an answer have one: the index stays small
    Column("outcome", String(16)),
    Column("reason", Text),
)
provider_events = Table(
    "provider_events",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("key", String(255), nullable=False),
    Column("received_at", BigInteger, nullable=False),
)

CallState = Literal["handed", "pending", "answered", "dropped"]
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 500, 30_000
PATIENCE = 3
"""After so many tries without an answer (about two seconds) an undo is reported as failing for now (U5)."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call and how far it is. `handed`: the provider has it, until `next_try_at`; `pending`: to be sent again then;
    `dropped`: given up, a later answer is still looked at; `answered`: for good."""

    call: Call
    clerk: str
    state: CallState
    tries: int
    asked_at: int
    next_try_at: int | None
    outcome: Outcome | None = None
    reason: str | None = None


def pause_after(tries: int) -> int:
    """How long an unanswered call rests, in ms: 0.5 s, doubling up to 30 s."""
    return min(FIRST_PAUSE_MS << min(max(tries - 1, 0), 10), LONGEST_PAUSE_MS)


class PaymentBooks:
    """Payments of one batch, read at once, changed in memory, saved at once.

    `note` is told the keys of new calls; they may be handed over once this transaction is committed.
    """

    def __init__(self, held: dict[str, Payment], note: Callable[[Sequence[str]], None]) -> None:
        self._held = held
        self._note = note
        self._changed: dict[str, int] = {}
        self._calls: dict[str, CallRecord] = {}
        self._new: list[str] = []
        self._dropped: set[str] = set()
        self._hurried: dict[str, int] = {}
        self._trail: list[dict[str, Any]] = []

    def payment(self, session: str) -> Payment | None:
        return self._held.get(session)

    def known(self, session: str) -> Payment:
        """A payment that must be there; ValueError when it is not."""
        payment = self._held.get(session)
        if payment is None:
            raise ValueError(f"the provider was asked for {session}, but there is no such payment")
        return payment

    def make(self, move: Move, now: int) -> Payment:
        """Remember what a rule has changed; returns the payment as it is now."""
        payment = move.payment
        if payment != self._held.get(payment.session):
            self._held[payment.session] = payment
            self._changed[payment.session] = now
        if move.drops:
            self._dropped.add(move.drops)
        if move.call:
            self._new.append(move.call.key)
            self.keep(CallRecord(move.call, payment.session, "handed", 1, now, now + ANSWER_LIMIT_MS))
        if move.hurries:
            self._hurried[move.hurries] = now
        self._trail += [{"session": payment.session, "at": now, **asdict(entry)} for entry in move.trail]
        return payment

    def keep(self, record: CallRecord) -> None:
        self._calls[record.call.key] = record

    def save(self, tx: Tx) -> None:
        rows = [_payment_row(self._held[session], at) for session, at in sorted(self._changed.items())]
        tx.upsert(payments, rows, ["session"])
        tx.upsert(provider_calls, [_call_row(self._calls[key]) for key in sorted(self._calls)], ["key"])
        self._drop(tx)
        self._hurry(tx)
        tx.insert(payment_trail, self._trail)
        fresh = [key for key in self._new if key not in self._dropped]
        if fresh:
            self._note(fresh)

    def _drop(self, tx: Tx) -> None:
        if self._dropped:
            given_up = provider_calls.c.key.in_(sorted(self._dropped)) & provider_calls.c.next_try_at.is_not(None)
            tx.execute(update(provider_calls).where(given_up).values(state="dropped", next_try_at=None))

    def _hurry(self, tx: Tx) -> None:
        """Who asks for an undo again gets a fresh round of tries; the first round is left to run its course."""
        if self._hurried:
            resting = provider_calls.c.key.in_(sorted(self._hurried)) & (provider_calls.c.state == "pending")
            at = max(self._hurried.values())
            worn_out = resting & (provider_calls.c.tries >= PATIENCE)
            tx.execute(update(provider_calls).where(worn_out).values(tries=0, next_try_at=at))


def open_books(tx: Tx, commands: Sequence[Command], note: Callable[[Sequence[str]], None]) -> PaymentBooks:
    """The records that a batch of commands concerns."""
    return PaymentBooks(read_payments(tx, {command.clerk for command in commands}), note)


_PAYMENTS = select(payments).where(payments.c.session.in_(KEYS))
_CALLS = select(provider_calls).where(provider_calls.c.key.in_(KEYS))
_NEXT_TRY = provider_calls.c.next_try_at
_UNANSWERED = select(provider_calls).order_by(_NEXT_TRY).limit(bindparam("most"))
_OPEN = _UNANSWERED.where(_NEXT_TRY.is_not(None))
_DUE = _UNANSWERED.where(provider_calls.c.next_try_at <= bindparam("before"))
_HAND_AGAIN = (
    update(provider_calls)
    .where(provider_calls.c.key.in_(KEYS), _NEXT_TRY.is_not(None))
    .values(state="handed", tries=provider_calls.c.tries + 1, next_try_at=bindparam("again_at"))
)
_FIELDS = tuple(field.name for field in fields(Payment))


def read_payments(tx: Tx, sessions: Iterable[str]) -> dict[str, Payment]:
    rows = tx.execute(_PAYMENTS, {"keys": sorted(sessions)}).mappings()
    return {row["session"]: Payment(**{name: row[name] for name in _FIELDS}) for row in rows}


def read_calls(tx: Tx, keys: Iterable[str]) -> dict[str, CallRecord]:
    rows = tx.execute(_CALLS, {"keys": sorted(keys)}).mappings()
    return {row["key"]: _from_row(row) for row in rows}


def unanswered(tx: Tx, before: int | None, limit: int) -> list[CallRecord]:
    """Calls without an answer whose time has come; `before` None: all of them, whenever they are due."""
    statement, bounds = (_OPEN, {}) if before is None else (_DUE, {"before": before})
    return [_from_row(row) for row in tx.execute(statement, {**bounds, "most": limit}).mappings()]


def hand_again(tx: Tx, records: Sequence[CallRecord], now: int) -> None:
    """The calls go to the provider once more, unless they were answered or dropped meanwhile."""
    keys = sorted(record.call.key for record in records)
    tx.execute(_HAND_AGAIN, {"keys": keys, "again_at": now + ANSWER_LIMIT_MS})


def remember_event(tx: Tx, event: str, key: str, now: int) -> bool:
    """False when this notice of the provider was taken before."""
    return tx.insert_new(provider_events, [{"id": event, "key": key, "received_at": now}], ["id"]) == 1


def _payment_row(payment: Payment, at: int) -> dict[str, Any]:
    return {**{name: getattr(payment, name) for name in _FIELDS}, "updated_at": at}


def _call_row(record: CallRecord) -> dict[str, Any]:
    return {
        **asdict(record.call),
        "clerk": record.clerk,
        "state": record.state,
        "tries": record.tries,
        "asked_at": record.asked_at,
        "next_try_at": record.next_try_at,
        "outcome": record.outcome,
        "reason": record.reason,
    }


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

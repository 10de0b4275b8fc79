"""Where payments and calls to the provider are kept: the tables, and the records of a batch of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    select,
    update,
)

from domain.messages import Command
from http_api.keys import key_tables
from messaging.database import Tx
from messaging.records import as_row
from messaging.statements import KEYS
from messaging.technical_tables import technical_tables
from messaging.turns import turns_table
from payment_service.ledger import ledger_table, outages_table
from payment_service.payment import Payment, Transition
from payment_service.provider import ANSWER_LIMIT_MS, Call, CallOutcome

metadata = MetaData()
technical = technical_tables(metadata)
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
    Column("next_try_at", BigInteger),  # only calls without an answer have one
    Column("outcome", String(16)),
    Column("reason", Text),
)
_OPEN = provider_calls.c.next_try_at.is_not(None)
Index("ix_provider_calls_next_try_at", provider_calls.c.next_try_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
provider_events = Table(
    "provider_events",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("key", String(255), nullable=False),
    Column("received_at", BigInteger, nullable=False),
)

CallState = Literal["handed", "pending", "answered", "dropped"]
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 500, 30_000
WORN_OUT_AFTER = 3
"""Tries of a call. After so many without an answer (about two seconds) an undo is reported as failing for now (U5)."""


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
    outcome: CallOutcome | None = None
    reason: str | None = None


def pause_after(tries: int) -> int:
    """How long an unanswered call rests, in ms: 0.5 s, doubling up to 30 s."""
    return min(FIRST_PAUSE_MS << min(max(tries - 1, 0), 10), LONGEST_PAUSE_MS)


class PaymentUnitOfWork:
    """Payments of one batch, read at once, changed in memory, saved at once.

    New calls reach the provider by `on_new_calls`: `save` gives it their keys, and it keeps them in the WorkQueue until
    `committed` says that the transaction is; then the ProviderGateway hands them over.
    """

    def __init__(self, payments: dict[str, Payment], on_new_calls: Callable[[Sequence[str]], None]) -> None:
        self._payments = payments
        self._known = set(payments)
        self._on_new_calls = on_new_calls
        self._changed: dict[str, int] = {}
        self._calls: dict[str, CallRecord] = {}
        self._new: set[str] = set()
        self._dropped: set[str] = set()
        self._hurried: dict[str, int] = {}
        self._trail: list[dict[str, Any]] = []

    def payment(self, session: str) -> Payment | None:
        return self._payments.get(session)

    def known(self, session: str) -> Payment:
        """A payment that must be there; ValueError when it is not."""
        payment = self._payments.get(session)
        if payment is None:
            raise ValueError(f"the provider was asked for {session}, but there is no such payment")
        return payment

    def apply(self, transition: Transition, now: int) -> Payment:
        """Remember what a transition changes; returns the payment as it is now."""
        payment = transition.payment
        if payment != self._payments.get(payment.session):
            self._payments[payment.session] = payment
            self._changed[payment.session] = now
        if transition.drops:
            self._dropped.add(transition.drops)
        if transition.call:
            self._new.add(transition.call.key)
            self.keep(CallRecord(transition.call, payment.session, "handed", 1, now, now + ANSWER_LIMIT_MS))
        if transition.hurries:
            self._hurried[transition.hurries] = now
        self._trail += [{"session": payment.session, "at": now, **as_row(entry)} for entry in transition.trail]
        return payment

    def keep(self, record: CallRecord) -> None:
        self._calls[record.call.key] = record

    def save(self, tx: Tx) -> None:
        tx.insert(payments, self._payment_rows(self._changed.keys() - self._known))
        tx.update(payments, self._payment_rows(self._changed.keys() & self._known), ["session"])
        tx.insert(provider_calls, self._call_rows(self._calls.keys() & self._new))
        tx.update(provider_calls, self._call_rows(self._calls.keys() - self._new), ["key"])
        self._drop(tx)
        self._hurry(tx)
        tx.insert(payment_trail, self._trail)
        fresh = sorted(self._new - self._dropped)
        if fresh:
            self._on_new_calls(fresh)

    def _payment_rows(self, sessions: Iterable[str]) -> list[dict[str, Any]]:
        return [_payment_row(self._payments[session], self._changed[session]) for session in sorted(sessions)]

    def _call_rows(self, keys: Iterable[str]) -> list[dict[str, Any]]:
        return [_call_row(self._calls[key]) for key in sorted(keys)]

    def _drop(self, tx: Tx) -> None:
        if self._dropped:
            given_up = provider_calls.c.key.in_(sorted(self._dropped)) & provider_calls.c.next_try_at.is_not(None)
            tx.execute(update(provider_calls).where(given_up).values(state="dropped", next_try_at=None))

    def _hurry(self, tx: Tx) -> None:
        """An undo that is asked again gets new tries, once the earlier ones are used up."""
        if self._hurried:
            resting = provider_calls.c.key.in_(sorted(self._hurried)) & (provider_calls.c.state == "pending")
            at = max(self._hurried.values())
            worn_out = resting & (provider_calls.c.tries >= WORN_OUT_AFTER)
            tx.execute(update(provider_calls).where(worn_out).values(tries=0, next_try_at=at))


def open_unit_of_work(
    tx: Tx, commands: Sequence[Command], on_new_calls: Callable[[Sequence[str]], None]
) -> PaymentUnitOfWork:
    """The records that a batch of commands concerns."""
    return PaymentUnitOfWork(read_payments(tx, {command.clerk for command in commands}), on_new_calls)


_PAYMENTS = select(*(payments.c[field.name] for field in fields(Payment))).where(payments.c.session.in_(KEYS))


def read_payments(tx: Tx, sessions: Iterable[str]) -> dict[str, Payment]:
    return {row.session: Payment(*row) for row in tx.execute(_PAYMENTS, {"keys": sorted(sessions)})}


def _payment_row(payment: Payment, at: int) -> dict[str, Any]:
    return {**as_row(payment), "updated_at": at}


def _call_row(record: CallRecord) -> dict[str, Any]:
    return {
        **as_row(record.call),
        "clerk": record.clerk,
        "state": record.state,
        "tries": record.tries,
        "asked_at": record.asked_at,
        "next_try_at": record.next_try_at,
        "outcome": record.outcome,
        "reason": record.reason,
    }

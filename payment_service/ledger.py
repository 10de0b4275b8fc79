"""The fake provider's ledger: what it has done, one entry for each idempotency key. Its rules and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, select
from sqlalchemy.sql import Select

from messaging.database import Tx
from messaging.records import as_row
from messaging.statements import KEYS
from payment_service.provider import Call, Card, ProviderAnswer

CARDS = {
    "tok_ok": Card("visa", "4242"),
    "tok_declined": Card("visa", "0002"),
    "tok_capture_refused": Card("mastercard", "4444"),
    "tok_slow": Card("visa", "3000"),
    "tok_lost": Card("amex", "0005"),
    "tok_down": Card("mastercard", "1000"),
}
"""The tokens the test provider knows (docs/design/api.md)."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of one key, for good. `amount`, in minor units: what was moved; for a no, what was asked or taken."""

    key: str
    payment: str
    kind: str
    amount: int
    currency: str
    token: str | None
    outcome: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What the provider did for one payment, in minor units. A charge is an authorisation and its capture."""

    authorized: int = 0
    captured: int = 0
    voided: int = 0
    refunded: int = 0


def new_entry(entries: Sequence[LedgerEntry], call: Call, now: int) -> LedgerEntry:
    """The entry that a call with a new key makes, given those of the same payment so far."""
    amount, refusal = _decide(entries, call)
    return LedgerEntry(
        call.key,
        call.payment,
        call.kind,
        amount,
        call.currency,
        call.token,
        "approved" if refusal is None else "declined",
        refusal or "",
        now,
    )


def recorded_answer(entry: LedgerEntry) -> ProviderAnswer:
    """The answer to the call that made this entry: the same each time that it is asked."""
    approved = entry.outcome == "approved"
    card = CARDS.get(entry.token or "") if approved and entry.kind in ("authorize", "charge") else None
    moved = entry.amount if approved or entry.kind == "void" else None
    return ProviderAnswer(entry.key, "approved" if approved else "declined", entry.payment, card, entry.reason, moved)


def sums_of(entries: Iterable[LedgerEntry]) -> Sums:
    """The sums of one payment's entries."""
    sums = {"authorized": 0, "captured": 0, "voided": 0, "refunded": 0}
    for entry in entries:
        if entry.outcome == "approved":
            for name in COUNTS_AS[entry.kind]:
                sums[name] += entry.amount
    return Sums(**sums)


COUNTS_AS = {
    "authorize": ("authorized",),
    "charge": ("authorized", "captured"),
    "capture": ("captured",),
    "void": ("voided",),
    "refund": ("refunded",),
}


def _decide(entries: Sequence[LedgerEntry], call: Call) -> tuple[int, str | None]:
    """(amount, None or why it is declined)."""
    sums = sums_of(entries)
    open_amount = sums.authorized - sums.captured - sums.voided
    match call.kind:
        case "authorize" | "charge":
            return call.amount, _why_no_authorisation(entries, sums, call.token)
        case "capture":
            return call.amount, _why_no_capture(open_amount, call)
        case "void" if sums.captured:
            return sums.captured, "the money was taken already"
        case "void":
            return open_amount, None
    left = sums.captured - sums.refunded
    return (call.amount, "there is not so much to refund") if call.amount > left else (call.amount, None)


def _why_no_authorisation(entries: Sequence[LedgerEntry], sums: Sums, token: str | None) -> str | None:
    if any(entry.kind == "void" for entry in entries):
        return "the payment was called off"
    if sums.authorized:
        return "the payment is authorised already"
    if token not in CARDS:
        return "the provider does not know this token"
    return "the card was declined" if token == "tok_declined" else None  # noqa: S105  # a name, not a secret


def _why_no_capture(open_amount: int, call: Call) -> str | None:
    if call.token == "tok_capture_refused":  # noqa: S105  # a name, not a secret
        return "the card's bank refused to capture"
    return "there is not so much authorised" if call.amount > open_amount else None


def ledger_table(metadata: MetaData) -> Table:
    return Table(
        "test_provider_ledger",
        metadata,
        Column("key", String(255), primary_key=True),
        Column("payment", String(140), nullable=False, index=True),
        Column("kind", String(16), nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("token", String(255)),
        Column("outcome", String(16), nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
    )


def outages_table(metadata: MetaData) -> Table:
    """Since when (ms) the provider is "down" for a payment with `tok_down`."""
    return Table(
        "test_provider_outages",
        metadata,
        Column("payment", String(140), primary_key=True),
        Column("since", BigInteger, nullable=False),
    )


def lock_and_read_entries(
    tx: Tx, locks: Iterable[str], table: Table, payments: Iterable[str]
) -> tuple[int, dict[str, list[LedgerEntry]]]:
    """The time after the locks, and the entries of these payments, in the order they were made."""
    now, rows = tx.lock_and_read(locks, _entries_of(table), {"keys": sorted(payments)})
    return now, _by_payment(rows)


def read_entries(tx: Tx, table: Table, payments: Iterable[str]) -> dict[str, list[LedgerEntry]]:
    """The entries of these payments, in the order they were made."""
    return _by_payment(tx.execute(_entries_of(table), {"keys": sorted(payments)}))


def _by_payment(rows: Iterable[Any]) -> dict[str, list[LedgerEntry]]:
    found: dict[str, list[LedgerEntry]] = {}
    for row in sorted(rows, key=lambda row: row.at):
        found.setdefault(row.payment, []).append(_from_row(row))
    return found


def _from_row(row: Any) -> LedgerEntry:
    return LedgerEntry(
        row.key, row.payment, row.kind, row.amount, row.currency, row.token, row.outcome, row.reason, row.at
    )


@cache
def _entries_of(table: Table) -> Select[Any]:
    return select(table).where(table.c.payment.in_(KEYS))


def write_entries(tx: Tx, table: Table, entries: Sequence[LedgerEntry]) -> None:
    tx.insert(table, [as_row(entry) for entry in entries])


def outages_since(tx: Tx, table: Table, payments: Iterable[str], now: int) -> dict[str, int]:
    """Since when (ms) the provider is down for each of these payments; `now` for those that are new."""
    wanted = sorted(payments)
    tx.insert_new(table, [{"payment": payment, "since": now} for payment in wanted], ["payment"])
    rows = tx.execute(select(table).where(table.c.payment.in_(wanted)))
    return {row.payment: row.since for row in rows}

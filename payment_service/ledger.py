"""The test provider's own book, pure rules and tables: the outer world's side of every payment, one entry a key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, case, func, select
from sqlalchemy.sql import Select

from messaging.database import KEYS, Tx
from payment_service.provider import Call, Card

CARDS = {
    "tok_ok": Card("visa", "4242"),
    "tok_declined": Card("visa", "0002"),
    "tok_capture_refused": Card("mastercard", "4444"),
    "tok_slow": Card("visa", "3000"),
    "tok_lost": Card("amex", "0005"),
    "tok_down": Card("mastercard", "1000"),
}
"""The tokens the test provider knows (api.md, Payment service)."""


@dataclass(frozen=True, slots=True)
class Entry:
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


def enter(book: Sequence[Entry], call: Call, now: int) -> Entry:
    """The entry that a call with a new key makes, given those of the same payment so far."""
    amount, reason = _judge(book, call)
    return Entry(
        call.key,
        call.payment,
        call.kind,
        amount,
        call.currency,
        call.token,
        "declined" if reason else "approved",
        reason,
        now,
    )


def reckon(book: Iterable[Entry]) -> Sums:
    """The sums of one payment's entries."""
    sums = {"authorized": 0, "captured": 0, "voided": 0, "refunded": 0}
    for entry in book:
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


def _judge(book: Sequence[Entry], call: Call) -> tuple[int, str]:
    """(amount, "" or why not)."""
    sums = reckon(book)
    open_amount = sums.authorized - sums.captured - sums.voided
    match call.kind:
        case "authorize" | "charge":
            return call.amount, _why_no_authorisation(book, sums, call.token)
        case "capture":
            return call.amount, _why_no_capture(open_amount, call)
        case "void" if sums.captured:
            return sums.captured, "the money was taken already"
        case "void":
            return open_amount, ""
    left = sums.captured - sums.refunded
    return (call.amount, "there is not so much to refund") if call.amount > left else (call.amount, "")


def _why_no_authorisation(book: Sequence[Entry], sums: Sums, token: str | None) -> str:
    if any(entry.kind == "void" for entry in book):
        return "the payment was called off"
    if sums.authorized:
        return "the payment is authorised already"
    if token not in CARDS:
        return "the provider does not know this token"
    return "the card was declined" if token == "tok_declined" else ""  # noqa: S105  # a name, not a secret


def _why_no_capture(open_amount: int, call: Call) -> str:
    if call.token == "tok_capture_refused":  # noqa: S105  # a name, not a secret
        return "the card's bank refused to capture"
    return "there is not so much authorised" if call.amount > open_amount else ""


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
    """Since when the provider is "down" for a payment with `tok_down`."""
    return Table(
        "test_provider_outages",
        metadata,
        Column("payment", String(140), primary_key=True),
        Column("since", BigInteger, nullable=False),
    )


def read_entries(tx: Tx, table: Table, payments: Iterable[str]) -> dict[str, list[Entry]]:
    """The entries of these payments, in the order they were made."""
    rows = tx.execute(_entries_of(table), {"keys": sorted(payments)}).mappings()
    book: dict[str, list[Entry]] = {}
    for row in rows:
        book.setdefault(row["payment"], []).append(Entry(**row))
    return book


@cache
def _entries_of(table: Table) -> Select[Any]:
    return select(table).where(table.c.payment.in_(KEYS)).order_by(table.c.at)


def write_entries(tx: Tx, table: Table, entries: Sequence[Entry]) -> None:
    tx.insert(table, [asdict(entry) for entry in entries])


def outages_since(tx: Tx, table: Table, payments: Iterable[str], now: int) -> dict[str, int]:
    """Since when each of these payments is down; `now` for those that are new."""
    wanted = sorted(payments)
    tx.insert_new(table, [{"payment": payment, "since": now} for payment in wanted], ["payment"])
    rows = tx.execute(select(table).where(table.c.payment.in_(wanted)))
    return {row.payment: row.since for row in rows}


def sums_by_payment(tx: Tx, table: Table) -> dict[str, Sums]:
    """What the provider did for every payment it knows, for `clerk verify` (faults.md I3)."""

    def total(name: str) -> Any:
        kinds = [kind for kind, counts in COUNTS_AS.items() if name in counts]
        return func.coalesce(func.sum(case((table.c.kind.in_(kinds), table.c.amount), else_=0)), 0)

    columns = [total(name).label(name) for name in ("authorized", "captured", "voided", "refunded")]
    rows = tx.execute(select(table.c.payment, *columns).where(table.c.outcome == "approved").group_by(table.c.payment))
    return {row.payment: Sums(*(int(total) for total in tuple(row)[1:])) for row in rows}

"""Payment's facts for `clerk verify`: each Clerk's payment, and what the provider's ledger says of it; read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import select

from messaging.database import Tx
from messaging.facts import TurnFacts, ids_after, read_turns, rows_of
from messaging.statements import KEYS
from payment_service.ledger import LedgerEntry, Sums, sums_of
from payment_service.payment import UNDONE, Payment, section
from payment_service.store import ledger, metadata, payments, provider_calls, technical, turns

__all__ = [
    "NOTHING",
    "LedgerFacts",
    "MoneyFacts",
    "PaymentFacts",
    "in_flight",
    "metadata",
    "orphan_payments",
    "read",
    "sessions_after",
    "technical",
]


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What the provider did for one payment. `unknown`: keys in its ledger that this service has never used."""

    sums: Sums
    unknown: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MoneyFacts:
    """A payment as the service keeps it, in minor units. `section`: what the document should say of it.

    `calling`: the provider has not answered yet, so its ledger may be ahead. `updated_at` in ms.
    """

    reference: str
    status: str
    amount: int
    currency: str
    secret_sha256: str
    sums: Sums
    section: Mapping[str, Any]
    undone: bool
    calling: bool
    updated_at: int


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """All that payment has of one Clerk."""

    turns: Mapping[str, TurnFacts] = field(default_factory=dict)
    payment: MoneyFacts | None = None
    ledger: LedgerFacts = field(default_factory=lambda: LedgerFacts(Sums()))


NOTHING = PaymentFacts()
_KEPT = select(*(payments.c[each.name] for each in fields(Payment)), payments.c.updated_at)
_REFERENCES = select(payments.c.reference).where(payments.c.session.in_(KEYS))
_UNANSWERED = provider_calls.c.next_try_at >= 0
"""All that have a moment. SQLite takes the index for a range, and reads every call there ever was for IS NOT NULL."""
_IN_FLIGHT = select(provider_calls.c.key).where(_UNANSWERED).limit(1)
_OWED = select(provider_calls.c.clerk).where(_UNANSWERED)
_BOOKED = (
    select(*(ledger.c[each.name] for each in fields(LedgerEntry)), provider_calls.c.key.is_not(None).label("asked"))
    .outerjoin(provider_calls, provider_calls.c.key == ledger.c.key)
    .where(ledger.c.payment.in_(KEYS))
    .order_by(ledger.c.at)
)


def sessions_after(tx: Tx, after: str, most: int) -> list[str]:
    """The next Clerks that payment has anything of."""
    return ids_after(tx, (turns.c.clerk, payments.c.session), after, most)


def read(tx: Tx, clerks: Sequence[str]) -> dict[str, PaymentFacts]:
    """The facts about those of the Clerks that payment has anything of."""
    its_turns = read_turns(tx, turns, clerks)
    kept = {}
    for *values, updated_at in rows_of(tx, _KEPT, payments.c.session, clerks):
        payment = Payment(*values)
        kept[payment.session] = (payment, updated_at)
    calling = _calling(tx, clerks)
    ledgers = _ledgers(tx, [payment.reference for payment, _ in kept.values()])
    nothing = LedgerFacts(Sums())
    found = {clerk: PaymentFacts(turns_there) for clerk, turns_there in its_turns.items()}
    for clerk, (payment, updated_at) in kept.items():
        money = _money(payment, clerk in calling, updated_at)
        found[clerk] = PaymentFacts(its_turns.get(clerk, {}), money, ledgers.get(payment.reference, nothing))
    return found


def in_flight(tx: Tx) -> str | None:
    """The key of a call that the provider has not answered; None when there is none."""
    row = tx.execute(_IN_FLIGHT).first()
    return None if row is None else str(row[0])


def orphan_payments(tx: Tx, after: str, most: int) -> tuple[list[str], str | None]:
    """Payments in the provider's ledger that the service does not have, among the next so many after `after`.

    Returns them, and the last one looked at (None at the end).
    """
    references = ids_after(tx, [ledger.c.payment], after, most)
    if not references:
        return [], None
    sessions = [name for reference in references for name in _sessions_of(reference)]
    known = {row[0] for row in tx.execute(_REFERENCES, {"keys": sessions})}
    return [reference for reference in references if reference not in known], references[-1]


def _sessions_of(reference: str) -> tuple[str, str]:
    """Whose payment it may be: see payment.reference_of."""
    name = reference.removeprefix("pay_")
    return f"clk_{name}", name


def _calling(tx: Tx, clerks: Sequence[str]) -> set[str]:
    """Those of the Clerks for whom the provider owes an answer; the index holds calls without one only."""
    return {row[0] for row in rows_of(tx, _OWED, provider_calls.c.clerk, clerks)}


def _ledgers(tx: Tx, references: Sequence[str]) -> dict[str, LedgerFacts]:
    if not references:
        return {}
    entries: dict[str, list[LedgerEntry]] = {}
    unknown: dict[str, list[str]] = {}
    for *values, asked in tx.execute(_BOOKED, {"keys": references}):
        entry = LedgerEntry(*values)
        entries.setdefault(entry.payment, []).append(entry)
        if not asked:
            unknown.setdefault(entry.payment, []).append(entry.key)
    return {reference: LedgerFacts(sums_of(of), unknown.get(reference, [])) for reference, of in entries.items()}


def _money(payment: Payment, calling: bool, updated_at: int) -> MoneyFacts:
    return MoneyFacts(
        reference=payment.reference,
        status=payment.status,
        amount=payment.amount,
        currency=payment.currency,
        secret_sha256=payment.secret_sha256,
        sums=Sums(payment.authorized, payment.captured, payment.voided, payment.refunded),
        section=section(payment),
        undone=payment.status in UNDONE,
        calling=calling,
        updated_at=updated_at,
    )

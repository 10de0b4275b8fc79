"""Risk's facts for `clerk verify`: credit held and settled for each Clerk, and each customer's standing; read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from messaging.audit import TurnFacts, ids_after, read_turns
from messaging.database import KEYS, Tx
from risk_service.store import accounts, metadata, reservations, schema, settlements, turns

__all__ = [
    "NOTHING",
    "HeldFacts",
    "OverdrawnFacts",
    "RiskFacts",
    "metadata",
    "overdrawn",
    "read",
    "schema",
    "sessions_after",
]


@dataclass(frozen=True, slots=True)
class HeldFacts:
    """Credit held or settled for one Clerk, in minor units."""

    customer: str
    amount: int


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """All that risk has of one Clerk."""

    turns: Mapping[str, TurnFacts] = field(default_factory=dict)
    reservation: HeldFacts | None = None
    settlement: HeldFacts | None = None


NOTHING = RiskFacts()
_HELD, _SETTLED = (
    select(table.c.session, table.c.customer, table.c.amount).where(table.c.session.in_(KEYS))
    for table in (reservations, settlements)
)
_SUM = func.sum(reservations.c.amount)
_OVERDRAWN = (
    select(accounts.c.customer, accounts.c.credit_limit, _SUM, accounts.c.outstanding)
    .join(reservations, reservations.c.customer == accounts.c.customer)
    .group_by(accounts.c.customer, accounts.c.credit_limit, accounts.c.outstanding)
    .having(_SUM + accounts.c.outstanding > accounts.c.credit_limit)
)


@dataclass(frozen=True, slots=True)
class OverdrawnFacts:
    """A customer for whom more is held and owed than the limit set for them, in minor units."""

    customer: str
    limit: int
    reserved: int
    outstanding: int


def sessions_after(tx: Tx, after: str, most: int) -> list[str]:
    """The next Clerks that risk has anything of."""
    return ids_after(tx, (turns.c.clerk, reservations.c.session, settlements.c.session), after, most)


def read(tx: Tx, clerks: Sequence[str]) -> dict[str, RiskFacts]:
    """The facts about those of the Clerks that risk has anything of."""
    its_turns = read_turns(tx, turns, clerks)
    held, settled = (
        {row[0]: HeldFacts(row[1], row[2]) for row in tx.execute(statement, {"keys": clerks})}
        for statement in (_HELD, _SETTLED)
    )
    return {
        clerk: RiskFacts(its_turns.get(clerk, {}), held.get(clerk), settled.get(clerk))
        for clerk in its_turns.keys() | held.keys() | settled.keys()
    }


def overdrawn(tx: Tx) -> list[OverdrawnFacts]:
    """Customers with a limit of their own who hold credit beyond it."""
    rows = tx.execute(_OVERDRAWN)
    return [OverdrawnFacts(customer, limit, int(reserved), owed) for customer, limit, reserved, owed in rows]

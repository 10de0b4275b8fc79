"""Risk's facts for `clerk verify`: credit held and settled for each Clerk, and each customer's standing; read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select

from messaging.database import Tx
from messaging.facts import TurnFacts, ids_after, read_turns, rows_of
from risk_service.store import accounts, metadata, more_accounts, reservations, settlements, technical, turns

__all__ = [
    "NOTHING",
    "HeldFacts",
    "OverdrawnFacts",
    "RiskFacts",
    "metadata",
    "overdrawn",
    "read",
    "sessions_after",
    "technical",
]


@dataclass(frozen=True, slots=True)
class HeldFacts:
    """Credit held or settled for one Clerk, in minor units. `currency` is None where a version before wrote none."""

    customer: str
    amount: int
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """All that risk has of one Clerk."""

    turns: Mapping[str, TurnFacts] = field(default_factory=dict)
    reservation: HeldFacts | None = None
    settlement: HeldFacts | None = None


NOTHING = RiskFacts()
_HELD, _SETTLED = (
    (select(table.c.session, table.c.customer, table.c.amount, table.c.currency), table.c.session)
    for table in (reservations, settlements)
)
_SUM = func.sum(reservations.c.amount)
_FIRST, _MORE = (
    select(table.c.customer, table.c.currency, table.c.credit_limit, _SUM, table.c.outstanding)
    .join(reservations, reservations.c.customer == table.c.customer)
    .group_by(table.c.customer, table.c.currency, table.c.credit_limit, table.c.outstanding)
    .having(_SUM + table.c.outstanding > table.c.credit_limit)
    for table in (accounts, more_accounts)
)
_OVERDRAWN = (
    _FIRST.where(or_(reservations.c.currency == accounts.c.currency, reservations.c.currency.is_(None))),
    _MORE.where(reservations.c.currency == more_accounts.c.currency),
)
"""In each currency by itself. A reservation without one counts where credit was set first."""


@dataclass(frozen=True, slots=True)
class OverdrawnFacts:
    """A customer for whom more is held and owed in a currency than the limit set for them in it, in minor units."""

    customer: str
    currency: str
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
        {row[0]: HeldFacts(row[1], row[2], row[3]) for row in rows_of(tx, wanted, session, clerks)}
        for wanted, session in (_HELD, _SETTLED)
    )
    return {
        clerk: RiskFacts(its_turns.get(clerk, {}), held.get(clerk), settled.get(clerk))
        for clerk in its_turns.keys() | held.keys() | settled.keys()
    }


def overdrawn(tx: Tx) -> list[OverdrawnFacts]:
    """Customers with a limit of their own who hold credit beyond it."""
    rows = [row for statement in _OVERDRAWN for row in tx.execute(statement)]
    return [
        OverdrawnFacts(customer, currency, limit, int(reserved), owed)
        for customer, currency, limit, reserved, owed in rows
    ]

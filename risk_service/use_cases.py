"""What the shop's backend does with a customer's credit over HTTP: read the standing, set a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from messaging.database import Database, Tx
from risk_service.credit import START_SCORE, Account, Limits, available
from risk_service.store import CreditUnitOfWork, Standings, read_standings, reservations_of

Standing = dict[str, Any]
"""`{id, score, currency, limit, reserved, outstanding, available, reservations: [{session, amount, currency}],
accounts: [{currency, limit, reserved, outstanding, available}]}`, amounts in minor units; the figures beside `currency`
are those of the account in it.
"""

Precondition = Callable[[Standing, Standing], None]
"""Raises, before anything is changed, when the client has not seen the standing as it is now: with the figures of the
currency that is set at its top, and with those of the settings' one.
"""


def whatever_it_is(now: Standing, by_default: Standing) -> None:
    """The precondition of a client that names none."""


@dataclass(frozen=True)
class CreditUseCases:
    """`limits`: those of customers for whom none was set."""

    database: Database
    limits: Limits

    def standing(self, customer: str, currency: str | None = None) -> Standing:
        """The standing, with the figures in this currency (None: that of the settings) at the top."""
        with self.database.read() as tx:
            return self._standing(tx, customer, currency or self.limits.currency)

    def set_limit(
        self, customer: str, limit: int, currency: str | None = None, unchanged: Precondition = whatever_it_is
    ) -> Standing:
        """Running reservations stay, even above the new limit. Returns the standing after it."""
        currency = currency or self.limits.currency
        with self.database.begin() as tx:
            tx.lock([f"customer:{customer}"])
            unchanged(*(self._standing(tx, customer, each) for each in (currency, self.limits.currency)))
            uow = CreditUnitOfWork(read_standings(tx, [customer], self.limits.currency), {}, self.limits)
            uow.change(replace(uow.account(customer, currency), limit=limit))
            uow.save(tx)
            return self._standing(tx, customer, currency)

    def _standing(self, tx: Tx, customer: str, currency: str) -> Standing:
        kept = read_standings(tx, [customer], self.limits.currency)
        held = reservations_of(tx, customer)
        known = {name for _, name in (*kept.accounts, *kept.reserved)} | {currency}
        figures = {name: self._figures(kept, customer, name) for name in sorted(known)}
        unnamed = kept.first.get(customer, self.limits.currency)
        return {
            "id": customer,
            "score": kept.scores.get(customer, START_SCORE),
            **figures[currency],
            "reservations": [
                {"session": each.session, "amount": each.amount, "currency": each.currency or unnamed} for each in held
            ],
            "accounts": list(figures.values()),
        }

    def _figures(self, kept: Standings, customer: str, currency: str) -> dict[str, Any]:
        account: Account = kept.accounts.get((customer, currency)) or self.limits.account(customer, currency)
        reserved = kept.reserved.get((customer, currency), 0)
        return {
            "currency": currency,
            "limit": account.limit,
            "reserved": reserved,
            "outstanding": account.outstanding,
            "available": available(account, reserved),
        }

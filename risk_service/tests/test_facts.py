"""What `clerk verify` may know of credit: each limit is held against its own currency (I5)."""

from __future__ import annotations

from typing import Any

from messaging.database import Database
from risk_service.facts import HeldFacts, OverdrawnFacts, overdrawn, read
from risk_service.store import accounts, more_accounts, reservations
from risk_service.tests.commands import replies_to, reserves


def held(session: str, amount: int, currency: str | None) -> dict[str, Any]:
    return {"session": session, "customer": "ada", "amount": amount, "currency": currency}


def test_I5_a_limit_is_exceeded_in_its_own_currency_only(any_database: Database) -> None:
    with any_database.begin() as tx:
        euros = {"customer": "ada", "currency": "EUR", "credit_limit": 1_000, "outstanding": 100, "score": 500}
        yen = {"customer": "ada", "currency": "JPY", "credit_limit": 5_000, "outstanding": 0}
        tx.insert(accounts, [euros])
        tx.insert(more_accounts, [yen])
        tx.insert(reservations, [held("clk_1", 900, "EUR"), held("clk_2", 5_000, "JPY"), held("clk_3", 10**9, "USD")])
        assert overdrawn(tx) == []
        tx.insert(reservations, [held("clk_4", 1, None), held("clk_5", 1, "JPY")])
        assert overdrawn(tx) == [
            OverdrawnFacts("ada", "EUR", 1_000, 901, 100),
            OverdrawnFacts("ada", "JPY", 5_000, 5_001, 0),
        ]


def test_what_is_held_is_known_with_its_currency(database: Database) -> None:
    replies_to(database, reserves("clk_1", 100, currency="JPY"))
    with database.read() as tx:
        assert read(tx, ["clk_1"])["clk_1"].reservation == HeldFacts("ada", 100, "JPY")

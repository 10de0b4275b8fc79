"""Where credit is kept: the tables, and the records of a batch of commands, with one query a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from domain.messages import Command
from http_api.keys import key_tables
from messaging.database import Tx
from messaging.records import as_row
from messaging.statements import KEYS
from messaging.technical_tables import technical_tables
from messaging.turns import turns_table
from risk_service.clerk_document import account_of
from risk_service.credit import START_SCORE, Account, Lesson, Limits, Reservation

metadata = MetaData()
technical = technical_tables(metadata)
key_tables(metadata)
turns = turns_table(metadata)
accounts = Table(
    "accounts",
    metadata,
    Column("customer", String(200), primary_key=True),
    Column("credit_limit", BigInteger, nullable=False),
    Column("outstanding", BigInteger, nullable=False),
    Column("score", Integer, nullable=False),
    Column("currency", String(3), nullable=False, server_default="EUR"),
)
"""A customer's score, and the credit in the currency in which it was set first."""
more_accounts = Table(
    "more_accounts",
    metadata,
    Column("customer", String(200), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("credit_limit", BigInteger, nullable=False),
    Column("outstanding", BigInteger, nullable=False),
)
"""The same customers' credit in other currencies. A table of its own, because processes of the version before write
`accounts` while this one is rolled out (docs/decisions/081).
"""
reservations = Table(
    "reservations",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("customer", String(200), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3)),
)
settlements = Table(
    "settlements",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("customer", String(200), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("lesson", String(8), nullable=False),
    Column("currency", String(3)),
)
Key = tuple[str, str]
"""(customer, currency)"""


@dataclass(frozen=True, slots=True)
class Standings:
    """What is kept of some customers: accounts and what is reserved by (customer, currency), scores by customer.

    `first` is the currency of a customer's row in `accounts`, where there is one. Reservations of a version that did
    not write a currency count there.
    """

    accounts: dict[Key, Account]
    reserved: dict[Key, int]
    scores: dict[str, int]
    first: dict[str, str]


class CreditUnitOfWork:
    """Accounts and reservations of one batch, read at once, changed in memory, saved at once."""

    def __init__(self, standings: Standings, held: dict[str, Reservation], limits: Limits) -> None:
        self._accounts = standings.accounts
        self._reserved = standings.reserved
        self._scores = standings.scores
        self._first = standings.first
        self._held = held
        self._limits = limits
        self._changed: set[Key] = set()
        self._rated: set[str] = set()
        self._touched: set[str] = set()
        self._settled: dict[str, tuple[Reservation, Lesson]] = {}

    def account(self, customer: str, currency: str | None) -> Account:
        """The customer's account in this currency; without one in that in which credit was set first."""
        key = (customer, currency or self._currency_of(customer))
        return self._accounts.get(key) or self._limits.account(*key)

    def reserved(self, account: Account) -> int:
        return self._reserved.get((account.customer, account.currency), 0)

    def score(self, customer: str) -> int:
        return self._scores.get(customer, START_SCORE)

    def hold(self, reservation: Reservation) -> None:
        self._held[reservation.session] = reservation
        self._touched.add(reservation.session)
        self._add(reservation, reservation.amount)

    def release(self, session: str) -> Reservation | None:
        """Take the session's reservation away; None when there is none."""
        reservation = self._held.pop(session, None)
        if reservation:
            self._touched.add(session)
            self._add(reservation, -reservation.amount)
        return reservation

    def settle(self, reservation: Reservation, lesson: Lesson) -> None:
        """Keep how the order of a reservation ended."""
        self._settled[reservation.session] = (reservation, lesson)

    def change(self, account: Account) -> None:
        key = (account.customer, account.currency)
        self._accounts[key] = account
        self._changed.add(key)

    def rate(self, customer: str, score: int) -> None:
        """The customer has this score from now on."""
        self._scores[customer] = score
        self._rated.add(customer)

    def save(self, tx: Tx) -> None:
        gone = [session for session in self._touched if session not in self._held]
        tx.delete(reservations.c.session, gone)
        held = [as_row(self._held[session]) for session in sorted(self._touched) if session in self._held]
        tx.upsert(reservations, held, ["session"])
        changed = {customer for customer, _ in self._changed} | self._rated
        firsts = {customer: self._currency_of(customer) for customer in sorted(changed)}
        first_rows = [
            {**_row(self.account(customer, currency)), "score": self.score(customer)}
            for customer, currency in firsts.items()
        ]
        more = [_row(self._accounts[key]) for key in sorted(self._changed) if firsts[key[0]] != key[1]]
        tx.upsert(accounts, first_rows, ["customer"])
        tx.upsert(more_accounts, more, ["customer", "currency"])
        settled = [{**as_row(reservation), "lesson": lesson} for reservation, lesson in self._settled.values()]
        tx.upsert(settlements, settled, ["session"])

    def _currency_of(self, customer: str) -> str:
        return self._first.get(customer, self._limits.currency)

    def _add(self, reservation: Reservation, amount: int) -> None:
        key = (reservation.customer, reservation.currency or self._currency_of(reservation.customer))
        self._reserved[key] = self._reserved.get(key, 0) + amount


def _row(account: Account) -> dict[str, object]:
    return {
        "customer": account.customer,
        "currency": account.currency,
        "credit_limit": account.limit,
        "outstanding": account.outstanding,
    }


def open_unit_of_work(tx: Tx, commands: Sequence[Command], limits: Limits) -> CreditUnitOfWork:
    """The records that a batch of commands concerns."""
    held = read_reservations(tx, {command.clerk for command in commands})
    customers = {account_of(command) for command in commands} | {each.customer for each in held.values()}
    return CreditUnitOfWork(read_standings(tx, customers, limits.currency), held, limits)


_RESERVATIONS = select(reservations).where(reservations.c.session.in_(KEYS))
_NO_NUMBER = cast(null(), BigInteger)
_FIRST, _MORE, _HELD = "first", "more", "held"
_STANDINGS = union_all(
    select(
        literal(_FIRST).label("kind"),
        accounts.c.customer,
        accounts.c.currency,
        accounts.c.credit_limit.label("amount"),
        accounts.c.outstanding,
        accounts.c.score,
    ).where(accounts.c.customer.in_(KEYS)),
    select(
        literal(_MORE),
        more_accounts.c.customer,
        more_accounts.c.currency,
        more_accounts.c.credit_limit,
        more_accounts.c.outstanding,
        _NO_NUMBER,
    ).where(more_accounts.c.customer.in_(KEYS)),
    select(
        literal(_HELD),
        reservations.c.customer,
        reservations.c.currency,
        cast(func.sum(reservations.c.amount), BigInteger),
        _NO_NUMBER,
        _NO_NUMBER,
    )
    .where(reservations.c.customer.in_(KEYS))
    .group_by(reservations.c.customer, reservations.c.currency),
)
"""One row for each account, and for what is reserved of each: of what `kind` it is, and of how much."""


def read_standings(tx: Tx, customers: Iterable[str], currency: str) -> Standings:
    """What is kept of these customers. `currency`: that of reservations that name none, of one without an account."""
    rows: dict[str, list[Any]] = {_FIRST: [], _MORE: [], _HELD: []}
    for row in tx.execute(_STANDINGS, {"keys": sorted(customers)}):
        rows[row.kind].append(row)
    first_rows = rows[_FIRST]
    found = {
        (row.customer, row.currency): Account(row.customer, row.currency, row.amount, row.outstanding)
        for row in (*rows[_MORE], *first_rows)
    }
    first = {row.customer: row.currency for row in first_rows}
    reserved: dict[Key, int] = {}
    for row in rows[_HELD]:
        key = (row.customer, row.currency or first.get(row.customer, currency))
        reserved[key] = reserved.get(key, 0) + row.amount
    return Standings(found, reserved, {row.customer: row.score for row in first_rows}, first)


def read_reservations(tx: Tx, sessions: Iterable[str]) -> dict[str, Reservation]:
    rows = tx.execute(_RESERVATIONS, {"keys": sorted(sessions)})
    return {row.session: Reservation(row.session, row.customer, row.amount, row.currency) for row in rows}


def reservations_of(tx: Tx, customer: str) -> list[Reservation]:
    rows = tx.execute(
        select(reservations).where(reservations.c.customer == customer).order_by(reservations.c.session).limit(200)
    )
    return [Reservation(row.session, row.customer, row.amount, row.currency) for row in rows]

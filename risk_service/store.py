"""Where credit is kept: tables and queries, one of each a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, delete, func, select

from domain.document import part
from domain.messages import Command
from doors.keys import key_tables
from messaging.database import KEYS, Tx
from messaging.schema import technical_tables
from messaging.turns import turns_table
from risk_service.credit import Account, Lesson, Reservation

metadata = MetaData()
schema = technical_tables(metadata)
key_tables(metadata)
turns = turns_table(metadata)
accounts = Table(
    "accounts",
    metadata,
    Column("customer", String(200), primary_key=True),
    Column("credit_limit", BigInteger, nullable=False),
    Column("outstanding", BigInteger, nullable=False),
    Column("score", Integer, nullable=False),
)
reservations = Table(
    "reservations",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("customer", String(200), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
)
settlements = Table(
    "settlements",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("customer", String(200), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("lesson", String(8), nullable=False),
)


def account_of(command: Command) -> str:
    """Whose credit a session uses: the named customer's, or for a guest an account of the session's own."""
    customer = part(command.document, "customer").get("id")
    return customer if isinstance(customer, str) and customer else guest_account(command.clerk)


def guest_account(session: str) -> str:
    """No customer's id has a slash in it, so nobody can be called like a guest."""
    return f"guest/{session}"


def is_guest(account: str) -> bool:
    return account.startswith("guest/")


class CreditBooks:
    """Accounts and reservations of one batch, read at once, changed in memory, saved at once."""

    def __init__(
        self,
        accounts: dict[str, Account],
        reserved: dict[str, int],
        held: dict[str, Reservation],
        default_limit: int,
        guest_limit: int,
    ) -> None:
        self._accounts = accounts
        self._reserved = reserved
        self._held = held
        self._default_limit = default_limit
        self._guest_limit = guest_limit
        self._changed_accounts: set[str] = set()
        self._touched: set[str] = set()
        self._settled: dict[str, tuple[Reservation, Lesson]] = {}

    def account(self, customer: str) -> Account:
        limit = self._guest_limit if is_guest(customer) else self._default_limit
        return self._accounts.get(customer) or Account(customer, limit)

    def reserved(self, customer: str) -> int:
        return self._reserved.get(customer, 0)

    def reservation(self, session: str) -> Reservation | None:
        return self._held.get(session)

    def hold(self, reservation: Reservation) -> None:
        self._held[reservation.session] = reservation
        self._touched.add(reservation.session)
        self._reserved[reservation.customer] = self.reserved(reservation.customer) + reservation.amount

    def release(self, session: str) -> Reservation | None:
        """Take the session's reservation away; None when there is none."""
        reservation = self._held.pop(session, None)
        if reservation:
            self._touched.add(session)
            self._reserved[reservation.customer] = self.reserved(reservation.customer) - reservation.amount
        return reservation

    def settle(self, reservation: Reservation, lesson: Lesson) -> None:
        """The reservation becomes history."""
        self._settled[reservation.session] = (reservation, lesson)

    def change(self, account: Account) -> None:
        self._accounts[account.customer] = account
        self._changed_accounts.add(account.customer)

    def save(self, tx: Tx) -> None:
        gone = [session for session in self._touched if session not in self._held]
        if gone:
            tx.execute(_RELEASE, {"keys": sorted(gone)})
        held = [asdict(self._held[session]) for session in sorted(self._touched) if session in self._held]
        tx.upsert(reservations, held, ["session"])
        tx.upsert(
            accounts, [_account_row(self._accounts[name]) for name in sorted(self._changed_accounts)], ["customer"]
        )
        settled = [{**asdict(reservation), "lesson": lesson} for reservation, lesson in self._settled.values()]
        tx.upsert(settlements, settled, ["session"])


def _account_row(account: Account) -> dict[str, object]:
    return {
        "customer": account.customer,
        "credit_limit": account.limit,
        "outstanding": account.outstanding,
        "score": account.score,
    }


def open_books(tx: Tx, commands: Sequence[Command], default_limit: int, guest_limit: int) -> CreditBooks:
    """The records that a batch of commands concerns."""
    held = read_reservations(tx, {command.clerk for command in commands})
    customers = {account_of(command) for command in commands} | {each.customer for each in held.values()}
    return CreditBooks(read_accounts(tx, customers), read_reserved(tx, customers), held, default_limit, guest_limit)


_RELEASE = delete(reservations).where(reservations.c.session.in_(KEYS))
_ACCOUNTS = select(accounts).where(accounts.c.customer.in_(KEYS))
_RESERVATIONS = select(reservations).where(reservations.c.session.in_(KEYS))
_SUMS = (
    select(reservations.c.customer, func.sum(reservations.c.amount).label("held"))
    .where(reservations.c.customer.in_(KEYS))
    .group_by(reservations.c.customer)
)


def read_accounts(tx: Tx, customers: Iterable[str]) -> dict[str, Account]:
    rows = tx.execute(_ACCOUNTS, {"keys": sorted(customers)})
    return {row.customer: Account(row.customer, row.credit_limit, row.outstanding, row.score) for row in rows}


def read_reserved(tx: Tx, customers: Iterable[str]) -> dict[str, int]:
    """Sum of the reservations by customer."""
    rows = tx.execute(_SUMS, {"keys": sorted(customers)})
    return {row.customer: int(row.held) for row in rows}


def read_reservations(tx: Tx, sessions: Iterable[str]) -> dict[str, Reservation]:
    rows = tx.execute(_RESERVATIONS, {"keys": sorted(sessions)})
    return {row.session: Reservation(row.session, row.customer, row.amount) for row in rows}


def reservations_of(tx: Tx, customer: str) -> list[Reservation]:
    rows = tx.execute(
        select(reservations).where(reservations.c.customer == customer).order_by(reservations.c.session).limit(200)
    )
    return [Reservation(row.session, row.customer, row.amount) for row in rows]

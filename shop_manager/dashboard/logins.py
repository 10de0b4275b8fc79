"""Operators' logins: a random token in their cookie, and only its hash here (security S8)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, select, update

from domain.times import hours, seconds
from doors.keys import Role
from doors.operators import Operators

SEEN_EVERY = seconds(60)
"""So often at most a login's last use is written down: reading a page is then no write."""


@dataclass(frozen=True, slots=True)
class Span:
    """How long a login lasts, in ms: without being used, and in all."""

    idle: int = hours(1)
    most: int = hours(12)

    def over(self, began_at: int, seen_at: int, now: int) -> bool:
        """Has a login of that age ended by now?"""
        return now >= seen_at + self.idle or now >= began_at + self.most


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, as found with the token of this request."""

    operator: str
    role: Role
    token: str


def login_table(metadata: MetaData) -> Table:
    """Puts `logins` into the metadata. Times are ms; `key_id` changes with the operator's password."""
    return Table(
        "logins",
        metadata,
        Column("hash", String(64), primary_key=True),
        Column("operator", String(128), nullable=False, index=True),
        Column("role", String(16), nullable=False),
        Column("key_id", String(12), nullable=False),
        Column("began_at", BigInteger, nullable=False, index=True),
        Column("seen_at", BigInteger, nullable=False),
    )


class Logins:
    """The logins in ShopManager's database. All methods raise SQLAlchemy's errors."""

    def __init__(self, operators: Operators, span: Span | None = None) -> None:
        self.operators = operators
        self.span = span or Span()
        self._database = operators.ring.database
        self._table = login_table(MetaData())

    def begin(self, name: str, password: str, before: str | None) -> Login | None:
        """A login with a token of its own, which ends the one `before`; None for a wrong name or password."""
        operator = self.operators.check_password(name, password)
        if operator is None:
            return None
        token, rows = secrets.token_urlsafe(32), self._table.c
        with self._database.begin() as tx:
            now = tx.now()
            ended = rows.began_at <= now - self.span.most
            tx.execute(delete(self._table).where(ended | (rows.hash == _hash(before or ""))))
            row = {"hash": _hash(token), "operator": operator.name, "role": operator.role, "key_id": operator.key_id}
            tx.insert(self._table, [{**row, "began_at": now, "seen_at": now}])
        return Login(operator.name, operator.role, token)

    def find(self, token: str, *, used: bool = True) -> Login | None:
        """The login of this token; None when there is none, it is over, or its operator is not who they were.

        A login ends with a new role, a new password, and when the operator is gone. `used` False keeps it no longer
        alive: for a page that only listens.
        """
        with self._database.read() as tx:
            row = tx.execute(select(self._table).where(self._table.c.hash == _hash(token))).one_or_none()
            now = tx.now()
        if row is None or self.span.over(row.began_at, row.seen_at, now) or not self._is_still(row):
            return None
        if used and now - row.seen_at >= SEEN_EVERY:
            with self._database.begin() as tx:
                tx.execute(update(self._table).where(self._table.c.hash == row.hash).values(seen_at=now))
        return Login(row.operator, row.role, token)

    def end(self, token: str) -> None:
        """Logs out; again changes nothing."""
        with self._database.begin() as tx:
            tx.execute(delete(self._table).where(self._table.c.hash == _hash(token)))

    def _is_still(self, row: Any) -> bool:
        """Is the operator the one who logged in: same role, same password, and still there?"""
        found = self.operators.find(row.operator)
        return found is not None and (found.role, found.key_id) == (row.role, row.key_id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

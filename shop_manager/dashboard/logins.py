"""Who is logged in: the browser's cookie has a random token, the database only its hash (security S8)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import MetaData, delete, select, update

from domain.times import hours, seconds
from http_api.keys import Role
from http_api.operators import Operator, Operators
from http_api.principals import Principal
from messaging.database import Tx
from shop_manager.engine.login_table import login_table

SEEN_EVERY = seconds(60)
"""The last use of a login is written down at most this often, so that reading a page is usually no write."""


@dataclass(frozen=True, slots=True)
class LoginLifetime:
    """How long a login lasts, in ms: without being used, and in all."""

    idle: int = hours(1)
    longest: int = hours(12)

    def is_over(self, began_at: int, seen_at: int, now: int) -> bool:
        """Has a login of that age ended by now?"""
        return now >= seen_at + self.idle or now >= began_at + self.longest


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, as found with the token of this request."""

    operator: str
    role: Role
    token: str
    must_change: bool = False
    """Only the page that changes the password is open."""
    of_provider: bool = False
    """An OpenID provider vouches for them: there is no password of ours."""

    @property
    def principal(self) -> Principal:
        """As the operations know callers of `/ops`."""
        return Principal("operator", self.role, self.operator)


class _Person(NamedTuple):
    """Whom a login is for. `provider` is None for one with a password."""

    name: str
    role: Role
    key_id: str
    provider: str | None = None


class Logins:
    """The logins in ShopManager's database. Every method can raise SQLAlchemy's errors.

    `provider` names the OpenID provider that may vouch for people, `""` for none: the logins of another one are over.
    """

    def __init__(self, operators: Operators, provider: str = "") -> None:
        self.operators = operators
        self.lifetime = LoginLifetime()
        self.provider = provider
        self._database = operators.ring.database
        self._table = login_table(MetaData())

    def begin(self, operator: Operator, before: str | None) -> Login:
        """A new login with a new token, after the password was checked; the one of the token `before` ends."""
        with self._database.begin() as tx:
            return self._begin(tx, _Person(operator.name, operator.role, operator.key_id), before, operator.must_change)

    def begin_elsewhere(self, name: str, role: Role, before: str | None) -> Login:
        """The same for somebody for whom the provider has vouched."""
        with self._database.begin() as tx:
            return self._begin(tx, _Person(name, role, "", self.provider), before)

    def change_password(self, operator: Operator, hashed: str, also: Callable[[Tx], None]) -> Login | None:
        """The new password counts, all logins of the operator end, and a new one begins. `also` is in the transaction.

        None, and nothing has changed, when the operator is not who they were any more.
        """
        with self._database.begin() as tx:
            tx.lock(["people"])
            found = self.operators.find_within(tx, operator.name)
            if found is None or found.key_id != operator.key_id:
                return None
            self.operators.change_password_within(tx, found.name, hashed)
            tx.execute(delete(self._table).where(self._table.c.operator == found.name))
            also(tx)
            return self._begin(tx, _Person(found.name, found.role, found.key_id), None)

    def _begin(self, tx: Tx, person: _Person, before: str | None, must_change: bool = False) -> Login:
        token, now, rows = secrets.token_urlsafe(32), tx.now(), self._table.c
        ended = rows.began_at <= now - self.lifetime.longest
        tx.execute(delete(self._table).where(ended | (rows.hash == token_hash(before or ""))))
        row = {"hash": token_hash(token), "operator": person.name, "role": person.role, "key_id": person.key_id}
        tx.insert(self._table, [{**row, "began_at": now, "seen_at": now, "provider": person.provider}])
        return Login(person.name, person.role, token, must_change, person.provider is not None)

    def find(self, token: str, *, used: bool = True) -> Login | None:
        """The login of this token; None when there is none, it is over, or its operator is not who they were.

        A login ends with a new role, a new password, and when the operator is gone. `used` False does not count as a
        use: for requests that an open page sends by itself.
        """
        with self._database.read() as tx:
            row = tx.execute(select(self._table).where(self._table.c.hash == token_hash(token))).one_or_none()
            now = tx.now()
        if row is None or self.lifetime.is_over(row.began_at, row.seen_at, now):
            return None
        login = self._still(row, token)
        if login is None:
            return None
        if used and now - row.seen_at >= SEEN_EVERY:
            with self._database.begin() as tx:
                tx.execute(update(self._table).where(self._table.c.hash == row.hash).values(seen_at=now))
        return login

    def end(self, token: str) -> None:
        """Logs out; a second time changes nothing."""
        with self._database.begin() as tx:
            tx.execute(delete(self._table).where(self._table.c.hash == token_hash(token)))

    def _still(self, row: Any, token: str) -> Login | None:
        """The login, if the operator is the one who logged in: same role, same credentials, and still there."""
        if row.provider is not None:
            known = self.provider and row.provider == self.provider
            return Login(row.operator, row.role, token, of_provider=True) if known else None
        found = self.operators.find(row.operator)
        if found is None or (found.role, found.key_id) != (row.role, row.key_id):
            return None
        return Login(row.operator, row.role, token, found.must_change)


def token_hash(token: str) -> str:
    """What is stored of a cookie's token: SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()

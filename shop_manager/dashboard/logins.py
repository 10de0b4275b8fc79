"""Who is logged in: the browser's cookie has a random token, the database only its hash (security S8)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import MetaData, delete, select, update

from domain.times import days, hours, seconds
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


LONG = LoginLifetime(idle=days(30), longest=days(365))
"""Of viewers who stay logged in: an open page that listens counts as use."""


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
    stays: bool = False
    """Logged in for long, on a screen before which nobody sits."""

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
    stays: bool = False


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
            return self._begin(tx, _person(operator), before, operator.must_change)

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
            return self._begin(tx, _person(found), None)

    def _begin(self, tx: Tx, person: _Person, before: str | None, must_change: bool = False) -> Login:
        token, now, rows = secrets.token_urlsafe(32), tx.now(), self._table.c
        ended = rows.operator.not_in(self.operators.who_stay(tx)) & (rows.began_at <= now - self.lifetime.longest)
        ended |= rows.began_at <= now - LONG.longest
        tx.execute(delete(self._table).where(ended | (rows.hash == token_hash(before or ""))))
        row = {"hash": token_hash(token), "operator": person.name, "role": person.role, "key_id": person.key_id}
        tx.insert(self._table, [{**row, "began_at": now, "seen_at": now, "provider": person.provider}])
        return Login(person.name, person.role, token, must_change, person.provider is not None, person.stays)

    def find(self, token: str, *, used: bool = True) -> Login | None:
        """The login of this token; None when there is none, it is over, or its operator is not who they were.

        A login ends with a new role, a new password, and when the operator is gone. `used` False does not count as a
        use, unless of who stays logged in: for requests that an open page sends by itself.
        """
        with self._database.read() as tx:
            row = tx.execute(select(self._table).where(self._table.c.hash == token_hash(token))).one_or_none()
            now = tx.now()
        login = self._still(row, token) if row is not None else None
        if row is None or login is None or self.lifetime_of(login).is_over(row.began_at, row.seen_at, now):
            return None
        if (used or login.stays) and now - row.seen_at >= SEEN_EVERY:
            with self._database.begin() as tx:
                tx.execute(update(self._table).where(self._table.c.hash == row.hash).values(seen_at=now))
        return login

    def lifetime_of(self, login: Login) -> LoginLifetime:
        return LONG if login.stays else self.lifetime

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
        return Login(row.operator, row.role, token, found.must_change, stays=found.long)


def _person(operator: Operator) -> _Person:
    return _Person(operator.name, operator.role, operator.key_id, stays=operator.long)


def token_hash(token: str) -> str:
    """What is stored of a cookie's token: SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()

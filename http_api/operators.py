"""Operators: the people with a password for the dashboard, each with a key of the same role for scripts.

Two names that differ only in case, width or invisible characters are one name (domain/visible_text.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import MetaData, Table, delete, select, update

from domain.ids import is_id
from domain.visible_text import comparison_key
from http_api.keys import (
    ROLES,
    KeyRing,
    Role,
    new_key,
)
from http_api.operator_notes import first_passwords_table, long_logins_table
from http_api.principals import ELSEWHERE
from messaging.database import Tx

_HASHER = PasswordHasher()

DISABLED = "disabled"
"""In the place of a password's hash: no password fits."""


@dataclass(frozen=True, slots=True)
class Operator:
    """`must_change`: the password is one that somebody else has seen, and opens only the page that changes it; the
    key opens nothing. `long`: a viewer who stays logged in for long, on a screen before which nobody sits.
    """

    name: str
    role: Role
    key_id: str
    must_change: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class PasswordTry:
    """`operator` is None for a refused one. `known_as` is the name that is stored, None for an unknown one: for the
    audit, and never for the answer.
    """

    operator: Operator | None
    known_as: str | None
    disabled: bool = False


Also = Callable[[Tx, Operator | None], None]
"""What else is done where a person is stored: (transaction, the person as they were before; None for a new one)."""


def nothing_more(tx: Tx, before: Operator | None) -> None:
    """Storing the person is all."""


class Operators:
    """The people in one key ring's database. A page that asks for passwords has to slow down repeated guesses (S2)."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._people = ring.tables.operators
        self._first = first_passwords_table(MetaData())
        self._long = long_logins_table(MetaData())

    def add_operator(
        self, name: str, role: Role, *, must_change: bool = False, long: bool = False, also: Also = nothing_more
    ) -> tuple[str, str]:
        """Returns (password, key), both seen only now. A known name gets a new role, password and key.

        The key before is revoked. `must_change`: the first login has to choose another password, and until then the
        key opens nothing. `long`: stays logged in for long, which only viewers may. `also` is in the transaction.
        ValueError on a wrong name or role, and on a name that differs from a known one in case only.
        """
        check_person(name, role, long=long)
        password = secrets.token_urlsafe(18)
        person = Operator(name, role, new_key("operator"), must_change, long)
        self._put(person, password, also)
        return password, person.key_id

    def put_operator(
        self, name: str, role: Role, password: str, key: str, *, must_change: bool = False, also: Also = nothing_more
    ) -> None:
        """Stores a person made elsewhere. ValueError as above, for a wrong key, or a password under 12 characters."""
        check_person(name, role)
        if len(password) < 12:
            raise ValueError("the password has fewer than 12 characters")
        self._put(Operator(name, role, key, must_change), password, also)

    def _put(self, person: Operator, password: str, also: Also) -> None:
        """`key_id` is the whole new key here."""
        name, hashed = person.name, hash_of(password)
        with self.ring.database.begin() as tx:
            tx.lock(["people"])
            known = self.known_as(tx, name)
            if known not in (None, name):
                raise ValueError(f"operator name {name!r}: there is {known!r} already, which counts as the same name")
            also(tx, self.find_within(tx, name, disabled=True))
            revoked = self.put_within(tx, person, hashed)
        if revoked is not None:
            self.ring.forget(revoked)

    def put_within(self, tx: Tx, person: Operator, password_hash: str) -> str | None:
        """Stores a person in a transaction that is open already; `key_id` is the whole new key here.

        Returns the id of the key that was revoked for it, to be forgotten after the commit.
        """
        before = self.find_within(tx, person.name, disabled=True)
        key_id = self.ring.put_within(tx, person.key_id, person.name, person.role)
        row = {
            "name": person.name,
            "role": person.role,
            "password_hash": password_hash,
            "key_id": key_id,
            "created_at": tx.now(),
        }
        tx.upsert(self._people, [row], keys=["name"])
        _note(tx, self._first, person.name, person.must_change)
        _note(tx, self._long, person.name, person.long and person.role == "viewer")
        if before is None or before.key_id == key_id:
            return None
        self.ring.revoke_within(tx, before.key_id)
        return before.key_id

    def change_password_within(self, tx: Tx, name: str, password_hash: str) -> None:
        """A password that the person has chosen: from now on nobody asks for another one."""
        tx.execute(update(self._people).where(self._people.c.name == name).values(password_hash=password_hash))
        _note(tx, self._first, name, False)

    def change_role_within(self, tx: Tx, person: Operator, role: Role) -> None:
        """Person and key; call the ring's `forget` after the commit."""
        tx.execute(update(self._people).where(self._people.c.name == person.name).values(role=role))
        self.ring.change_role_within(tx, person.key_id, role)
        _note(tx, self._long, person.name, person.long and role == "viewer")

    def disable_within(self, tx: Tx, person: Operator) -> None:
        """No password and no key open anything any more; the name stays, and can be given new ones."""
        tx.execute(update(self._people).where(self._people.c.name == person.name).values(password_hash=DISABLED))
        self.ring.revoke_within(tx, person.key_id)

    def check_password(self, name: str, password: str) -> Operator | None:
        """The operator, or None for a wrong name or password, without telling which."""
        return self.try_password(name, password).operator

    def try_password(self, name: str, password: str) -> PasswordTry:
        """Takes some 50 ms on purpose, and does the same work for everybody: known, unknown or disabled."""
        with self.ring.database.read() as tx:
            known = self.known_as(tx, name)
            row = self._row(tx, known or name)
        disabled = row is not None and row.password_hash == DISABLED
        nobody = _nobodys_hash()
        hashed = nobody if row is None or disabled else row.password_hash
        right = _matches(hashed, password) and hashed is not nobody
        return PasswordTry(_operator(row) if right else None, known, disabled)

    def find(self, name: str) -> Operator | None:
        """None for an unknown and for a disabled one."""
        with self.ring.database.read() as tx:
            return self.find_within(tx, name)

    def find_within(self, tx: Tx, name: str, *, disabled: bool = False) -> Operator | None:
        """The same in a transaction that is open already; with `disabled` those too."""
        row = self._row(tx, name) or self._row(tx, self.known_as(tx, name) or name)
        if row is None or (row.password_hash == DISABLED and not disabled):
            return None
        return _operator(row)

    def known_as(self, tx: Tx, name: str) -> str | None:
        """The stored name that counts as the same; None when there is none.

        Names from before they were compared so may count as the same: then each is found as it is written, and the
        oldest of them however else it is written.
        """
        names = self._names(tx)
        key = comparison_key(name)
        return name if name in names else next((each for each in names if comparison_key(each) == key), None)

    def _names(self, tx: Tx) -> Sequence[str]:
        people = self._people.c
        return tx.execute(select(people.name).order_by(people.created_at, people.name)).scalars().all()

    def _row(self, tx: Tx, name: str) -> Any:
        stays = self._long.c.since.label("long_since")
        found = select(self._people, self._first.c.since, stays).where(self._people.c.name == name)
        first = found.outerjoin(self._first, self._first.c.operator == self._people.c.name)
        return tx.execute(first.outerjoin(self._long, self._long.c.operator == self._people.c.name)).one_or_none()

    def who_stay(self, tx: Tx) -> frozenset[str]:
        """The names of those who stay logged in for long."""
        return frozenset(tx.execute(select(self._long.c.operator)).scalars())


def _note(tx: Tx, table: Table, name: str, is_so: bool) -> None:
    """Whether the operator stands in this table, since now."""
    tx.execute(delete(table).where(table.c.operator == name))
    if is_so:
        tx.insert(table, [{"operator": name, "since": tx.now()}])


@cache
def _nobodys_hash() -> str:
    """Checked when the name is unknown or disabled, so that all of these take as long as a wrong password.

    Made at the first login, not by each process that starts: it takes 64 MiB.
    """
    return _HASHER.hash(secrets.token_urlsafe(16))


def hash_of(password: str) -> str:
    """Takes some 50 ms on purpose: to be done outside of a transaction."""
    return _HASHER.hash(password)


def _operator(row: Any) -> Operator:
    return Operator(row.name, row.role, row.key_id, row.since is not None, row.long_since is not None)


def check_person(name: str, role: str, *, long: bool = False) -> None:
    """ValueError for a name or role that no operator can have, and for one who may not stay logged in for long."""
    if not is_id(name):
        raise ValueError(f"operator name {name[:40]!r}: 1 to 128 printable ASCII characters, no blank and no slash")
    if comparison_key(name).startswith(ELSEWHERE):
        raise ValueError(f"operator name {name[:40]!r}: {ELSEWHERE} begins the names of people known to a provider")
    if role not in ROLES:
        raise ValueError(f"role {role[:40]!r}: allowed are {', '.join(ROLES)}")
    if long and role != "viewer":
        raise ValueError(f"long: only a viewer stays logged in for long, and {name} is to be {role}")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False

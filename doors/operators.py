"""Operators: the people with a password for the dashboard, each with a key of the same role for scripts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update

from domain.ids import is_id
from doors.keys import ROLES, KeyRing, Role, new_key
from messaging.database import Tx

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))
"""Checked when the name is unknown, so that a wrong name takes as long as a wrong password."""

DISABLED = "disabled"
"""In the place of a password's hash: no password fits."""


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    role: Role
    key_id: str


class Operators:
    """The people in one key ring's database. Whoever asks for passwords must slow repeated guesses down (S2)."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._people = ring.tables.operators

    def add_operator(self, name: str, role: Role) -> tuple[str, str]:
        """Returns (password, key), both seen only now. A known name gets a new role, password and key.

        The key before is revoked. ValueError on a wrong name or role.
        """
        _check(name, role)
        password, key = secrets.token_urlsafe(18), new_key("operator")
        self.put_operator(name, role, password, key)
        return password, key

    def put_operator(self, name: str, role: Role, password: str, key: str) -> None:
        """Stores a person made elsewhere. ValueError: wrong name, role or key, or a password under 12 characters."""
        _check(name, role)
        if len(password) < 12:
            raise ValueError("the password has fewer than 12 characters")
        hashed = hash_of(password)
        with self.ring.database.begin() as tx:
            revoked = self.put_within(tx, Operator(name, role, key), hashed)
        if revoked is not None:
            self.ring.forget(revoked)

    def put_within(self, tx: Tx, person: Operator, password_hash: str) -> str | None:
        """Stores a person in the caller's transaction; `key_id` is the whole new key here.

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
        if before is None or before.key_id == key_id:
            return None
        self.ring.revoke_within(tx, before.key_id)
        return before.key_id

    def change_role_within(self, tx: Tx, person: Operator, role: Role) -> None:
        """Person and key; call the ring's `forget` after the commit."""
        tx.execute(update(self._people).where(self._people.c.name == person.name).values(role=role))
        self.ring.change_role_within(tx, person.key_id, role)

    def disable_within(self, tx: Tx, person: Operator) -> None:
        """No password and no key open anything any more; the name stays, and can be given new ones."""
        tx.execute(update(self._people).where(self._people.c.name == person.name).values(password_hash=DISABLED))
        self.ring.revoke_within(tx, person.key_id)

    def check_password(self, name: str, password: str) -> Operator | None:
        """The operator, or None for a wrong name or password, without telling which. Takes some 50 ms on purpose."""
        with self.ring.database.read() as tx:
            row = self._row(tx, name)
        if not _matches(_NOBODY if row is None else row.password_hash, password) or row is None:
            return None
        return Operator(row.name, row.role, row.key_id)

    def find(self, name: str) -> Operator | None:
        """None for an unknown and for a disabled one."""
        with self.ring.database.read() as tx:
            return self.find_within(tx, name)

    def find_within(self, tx: Tx, name: str, *, disabled: bool = False) -> Operator | None:
        """The same in the caller's transaction; with `disabled` those too."""
        row = self._row(tx, name)
        if row is None or (row.password_hash == DISABLED and not disabled):
            return None
        return Operator(row.name, row.role, row.key_id)

    def _row(self, tx: Tx, name: str) -> Any:
        return tx.execute(select(self._people).where(self._people.c.name == name)).one_or_none()


def hash_of(password: str) -> str:
    """Takes some 50 ms on purpose: to be done outside of a transaction."""
    return _HASHER.hash(password)


def _check(name: str, role: str) -> None:
    if not is_id(name):
        raise ValueError(f"operator name {name[:40]!r}: 1 to 128 printable ASCII characters, no blank and no slash")
    if role not in ROLES:
        raise ValueError(f"role {role[:40]!r}: allowed are {', '.join(ROLES)}")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False

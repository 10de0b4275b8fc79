"""Operators: the people with a password for the dashboard, each with a key of the same role for scripts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from domain.ids import is_id
from doors.keys import ROLES, KeyRing, Role, new_key

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))
"""Checked when the name is unknown, so that a wrong name takes as long as a wrong password."""


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
        before = self.find(name)
        key_id = self.ring.put(key, name, role)
        with self.ring.database.begin() as tx:
            row = {
                "name": name,
                "role": role,
                "password_hash": _HASHER.hash(password),
                "key_id": key_id,
                "created_at": tx.now(),
            }
            tx.upsert(self._people, [row], keys=["name"])
        if before is not None and before.key_id != key_id:
            self.ring.revoke(before.key_id)

    def check_password(self, name: str, password: str) -> Operator | None:
        """The operator, or None for a wrong name or password, without telling which. Takes some 50 ms on purpose."""
        row = self._row(name)
        if not _matches(_NOBODY if row is None else row.password_hash, password) or row is None:
            return None
        return Operator(row.name, row.role, row.key_id)

    def find(self, name: str) -> Operator | None:
        row = self._row(name)
        return None if row is None else Operator(row.name, row.role, row.key_id)

    def _row(self, name: str) -> Any:
        with self.ring.database.read() as tx:
            return tx.execute(select(self._people).where(self._people.c.name == name)).one_or_none()


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

"""Admins manage people (add, change the role, renew, disable) and keys (create, revoke).

A new password or key is in the answer to the request that made it, and nowhere else.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from domain.times import to_wire
from http_api.conventions import page
from http_api.keys import Role, new_key
from http_api.operators import (
    DISABLED,
    Operator,
    Operators,
    check_person,
    hash_of,
)
from http_api.principals import Principal
from http_api.problems import Problem, invalid, not_found
from messaging.database import Tx
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.requests import KeyAsk, PersonAct, PersonAsk
from shop_manager.operations.roles import require

MOST = 200
"""People, and keys, that are listed."""


class People:
    """Every method needs an admin, and every attempt is in the audit."""

    def __init__(self, operators: Operators) -> None:
        self.operators = operators
        self.ring = operators.ring
        self.database = operators.ring.database

    def require(self, who: Principal, action: str, target: str) -> None:
        """Problem `forbidden` for who is no admin; the attempt is written down."""
        require(self.database, who, "admin", action, target)

    # --- people ----------------------------------------------------------------------------------------------------

    def people(self, who: Principal) -> dict[str, Any]:
        """A page of `{name, role, key_id, disabled, stays_logged_in, created_at}`, by name."""
        self.require(who, "people", "people")
        table = self.ring.tables.operators
        with self.database.read() as tx:
            rows = tx.execute(select(table).order_by(table.c.name).limit(MOST)).all()
            stay = self.operators.who_stay(tx)
        lines = [
            {"name": row.name, "role": row.role, "key_id": row.key_id, "disabled": row.password_hash == DISABLED,
             "stays_logged_in": row.name in stay, "created_at": to_wire(row.created_at)}
            for row in rows
        ]  # fmt: skip
        return page(lines, MOST, None)

    def add(self, who: Principal, asked: PersonAsk) -> dict[str, Any]:
        """`{name, role, password, key}`, shown once; the first login chooses another password.

        Problem 409 when there is one of that name, whatever its case.
        """
        self.require(who, "person_add", f"person:{asked.name}")
        try:
            check_person(asked.name, asked.role)
        except ValueError as wrong:
            raise invalid("$.name", str(wrong)) from None
        password, key = secrets.token_urlsafe(18), new_key("operator")
        hashed = hash_of(password)
        with self.database.begin() as tx:
            tx.lock(["people"])
            known = self.operators.find_within(tx, asked.name, disabled=True)
            if known is None:
                self.operators.put_within(tx, Operator(asked.name, asked.role, key, must_change=True), hashed)
            outcome = "done" if known is None else "not_allowed_now"
            after = None if known else {"role": asked.role}
            record(
                tx, who, AuditLine("person_add", f"person:{asked.name}", outcome, asked.reason, after=after), tx.now()
            )
        if known:
            raise Problem("not_allowed_now", f"There is a person called {known.name} already.")
        return {"name": asked.name, "role": asked.role, "password": password, "key": key}

    def act(self, who: Principal, name: str, asked: PersonAct) -> dict[str, Any]:
        """`role`: another one; `renew`: new password and key, shown once; `disable`: nothing opens any more.

        `{name, role, disabled, key_id}`, for `renew` with `password` and `key`. The last admin stays one (409).
        `key_id` is the key before: rings that remember it are told with `forget`.
        """
        self.require(who, f"person_{asked.action}", f"person:{name}")
        password, key = secrets.token_urlsafe(18), new_key("operator")
        hashed = hash_of(password) if asked.action == "renew" else ""
        with self.database.begin() as tx:
            tx.lock(["people"])
            person = self.operators.find_within(tx, name, disabled=True)
            if person is None:
                raise not_found()
            name = person.name
            role = asked.role or person.role
            refused = self._why_not(tx, person, asked.action, role)
            if not refused:
                self._change(tx, replace(person, role=role, key_id=key, must_change=True), person, asked.action, hashed)
            states = ({"role": person.role}, {"role": role})
            line = AuditLine(f"person_{asked.action}", f"person:{name}", "not_allowed_now" if refused else "done",
                        asked.reason, refused, None, *states)  # fmt: skip
            record(tx, who, line, tx.now())
        if refused:
            raise Problem("not_allowed_now", refused)
        self.ring.forget(person.key_id)
        shown = {"name": name, "role": role, "disabled": asked.action == "disable", "key_id": person.key_id}
        return {**shown, "password": password, "key": key} if asked.action == "renew" else shown

    def _change(self, tx: Tx, new: Operator, person: Operator, action: str, hashed: str) -> None:
        if action == "renew":
            self.operators.put_within(tx, new, hashed)
        elif action == "disable":
            self.operators.disable_within(tx, person)
        else:
            self.operators.change_role_within(tx, person, new.role)

    def _why_not(self, tx: Tx, person: Operator, action: str, role: Role) -> str:
        if action == "renew" or (action == "role" and role == "admin"):
            return ""
        table = self.ring.tables.operators
        others = (table.c.role == "admin") & (table.c.password_hash != DISABLED) & (table.c.name != person.name)
        there = tx.execute(select(table.c.name).where(others).limit(1)).first()
        return "" if there else "Nobody else is an admin: make somebody one first."

    # --- keys ------------------------------------------------------------------------------------------------------

    def keys(self, who: Principal) -> dict[str, Any]:
        """A page of keys, the latest first, as `KeyRing.listed` shows them: never a key itself."""
        self.require(who, "keys", "keys")
        with self.database.read() as tx:
            return page(self.ring.listed(tx, MOST), MOST, None)

    def create_key(self, who: Principal, asked: KeyAsk) -> dict[str, Any]:
        """`{id, scope, name, expires_at, key}`, the key shown once."""
        self.require(who, "key_create", "key:new")
        key = new_key(asked.scope)
        with self.database.begin() as tx:
            expires_at = asked.expiry(tx.now())
            key_id = self.ring.put_within(tx, key, asked.name, expires_at=expires_at)
            until = None if expires_at is None else to_wire(expires_at)
            after = {"scope": asked.scope, "name": asked.name, "expires_at": until}
            record(tx, who, AuditLine("key_create", f"key:{key_id}", reason=asked.reason, after=after), tx.now())
        return {"id": key_id, "scope": asked.scope, "name": asked.name, "expires_at": until, "key": key}

    def revoke_key(self, who: Principal, key_id: str, reason: str) -> dict[str, Any]:
        """`{id, revoked: true}`; again is the same answer. A person's key is no matter of this: 404."""
        self.require(who, "key_revoke", f"key:{key_id}")
        table = self.ring.tables.keys
        with self.database.begin() as tx:
            found = tx.execute(select(table.c.scope).where(table.c.id == key_id)).scalar_one_or_none()
            if found in (None, "operator"):
                raise not_found()
            self.ring.revoke_within(tx, key_id)
            record(tx, who, AuditLine("key_revoke", f"key:{key_id}", reason=reason), tx.now())
        self.ring.forget(key_id)
        return {"id": key_id, "revoked": True}

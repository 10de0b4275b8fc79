"""Admins look after people and keys: add, change the role, renew, disable; create and revoke (dashboard.md, Roles).

What can be seen only once is in the answer that made it, and nowhere else.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import select

from domain.times import to_wire
from doors.answers import page
from doors.callers import Caller
from doors.keys import Role, new_key
from doors.operators import DISABLED, Operator, Operators, hash_of
from doors.problems import Problem, not_found
from messaging.database import Tx
from shop_manager.operations.audit import Line, record
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

    def require(self, who: Caller, action: str, target: str) -> None:
        """Problem `forbidden` for who is no admin; the attempt is written down."""
        require(self.database, who, "admin", action, target)

    # --- people ----------------------------------------------------------------------------------------------------

    def people(self, who: Caller) -> dict[str, Any]:
        """A page of `{name, role, key_id, disabled, created_at}`, by name."""
        self.require(who, "people", "people")
        table = self.ring.tables.operators
        with self.database.read() as tx:
            rows = tx.execute(select(table).order_by(table.c.name).limit(MOST)).all()
        lines = [
            {"name": row.name, "role": row.role, "key_id": row.key_id, "disabled": row.password_hash == DISABLED,
             "created_at": to_wire(row.created_at)}
            for row in rows
        ]  # fmt: skip
        return page(lines, MOST, None)

    def add(self, who: Caller, asked: PersonAsk) -> dict[str, Any]:
        """`{name, role, password, key}`, shown once. Problem 409 when there is one of that name."""
        self.require(who, "person_add", f"person:{asked.name}")
        password, key = secrets.token_urlsafe(18), new_key("operator")
        hashed = hash_of(password)
        with self.database.begin() as tx:
            tx.lock(["people"])
            known = self.operators.find_within(tx, asked.name, disabled=True)
            if known is None:
                self.operators.put_within(tx, Operator(asked.name, asked.role, key), hashed)
            outcome = "done" if known is None else "not_allowed_now"
            after = None if known else {"role": asked.role}
            record(tx, who, Line("person_add", f"person:{asked.name}", outcome, asked.reason, after=after), tx.now())
        if known:
            raise Problem("not_allowed_now", f"There is a person called {asked.name} already.")
        return {"name": asked.name, "role": asked.role, "password": password, "key": key}

    def act(self, who: Caller, name: str, asked: PersonAct) -> dict[str, Any]:
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
            role = asked.role or person.role
            refused = self._why_not(tx, person, asked.action, role)
            if not refused:
                self._change(tx, Operator(name, role, key), person, asked.action, hashed)
            states = ({"role": person.role}, {"role": role})
            line = Line(f"person_{asked.action}", f"person:{name}", "not_allowed_now" if refused else "done",
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

    def keys(self, who: Caller) -> dict[str, Any]:
        """A page of `{id, scope, role, name, created_at, revoked_at}`, the latest first; never a key itself."""
        self.require(who, "keys", "keys")
        table = self.ring.tables.keys
        names = ("id", "scope", "role", "name", "created_at", "revoked_at")
        rows = select(*(table.c[name] for name in names)).order_by(table.c.created_at.desc(), table.c.id).limit(MOST)
        with self.database.read() as tx:
            found = [tuple(row) for row in tx.execute(rows)]
        lines = [dict(zip(names, row, strict=True)) for row in found]
        for line in lines:
            for moment in ("created_at", "revoked_at"):
                line[moment] = None if line[moment] is None else to_wire(line[moment])
        return page(lines, MOST, None)

    def create_key(self, who: Caller, asked: KeyAsk) -> dict[str, Any]:
        """`{id, scope, name, key}`, the key shown once."""
        self.require(who, "key_create", "key:new")
        key = new_key(asked.scope)
        with self.database.begin() as tx:
            key_id = self.ring.put_within(tx, key, asked.name)
            after = {"scope": asked.scope, "name": asked.name}
            record(tx, who, Line("key_create", f"key:{key_id}", reason=asked.reason, after=after), tx.now())
        return {"id": key_id, "scope": asked.scope, "name": asked.name, "key": key}

    def revoke_key(self, who: Caller, key_id: str, reason: str) -> dict[str, Any]:
        """`{id, revoked: true}`; again is the same answer. A person's key is no matter of this: 404."""
        self.require(who, "key_revoke", f"key:{key_id}")
        table = self.ring.tables.keys
        with self.database.begin() as tx:
            found = tx.execute(select(table.c.scope).where(table.c.id == key_id)).scalar_one_or_none()
            if found in (None, "operator"):
                raise not_found()
            self.ring.revoke_within(tx, key_id)
            record(tx, who, Line("key_revoke", f"key:{key_id}", reason=reason), tx.now())
        self.ring.forget(key_id)
        return {"id": key_id, "revoked": True}

"""Saved views: filters of the list of Clerks under names, kept as the query of the list's URL.

A view is a person's own, or shared with all; only who saved it or an admin changes it or takes it away
(docs/decisions/138).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from http_api.conventions import page
from http_api.principals import Principal
from http_api.problems import Problem, invalid, not_found
from messaging.database import Database, Tx
from shop_manager.engine.tables import operations_schema
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.roles import require

MOST = 50
"""Views that one operator can keep."""
SHARED = 200
"""Views of others that are shown at most."""
table = operations_schema.views
_IS_SHARED = table.c.shared == 1


class Views:
    """Each operator sees their own and what others share."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.wrong_in: Callable[[str], str] = _nothing
        """What of a query the list does not know, in a line; "" when it knows all. The dashboard brings it."""

    def all_of(self, who: Principal) -> dict[str, Any]:
        """A page of `{name, query, owner, shared}`: one's own first, by name."""
        mine = table.c.operator == who.stable_name
        own = select(table).where(mine).order_by(table.c.name)
        shared = select(table).where(_IS_SHARED, ~mine).order_by(table.c.name, table.c.operator).limit(SHARED)
        with self.database.read() as tx:
            lines = [_line(row._asdict()) for each in (own, shared) for row in tx.execute(each)]
        return page(lines, MOST + SHARED, None)

    def save(
        self, who: Principal, name: str, query: str, *, shared: bool | None = None, owner: str | None = None
    ) -> dict[str, Any]:
        """The view; a name that is there gets the new query, and stays shared or not when `shared` is None.

        `owner`: of somebody else, who has it already; for admins. Problem 409 when there are MOST others,
        422 for a query that the list does not know.
        """
        if wrong := self.wrong_in(query):
            raise invalid("$.query", wrong)
        of = self._owner(who, owner, "save_view", name)
        with self.database.begin() as tx:
            known = tx.execute(select(table).where(_of(who, of, name))).first()
            if known is None and of != who.stable_name:
                raise not_found()
            if known is None and _count(tx, of) >= MOST:
                raise Problem("not_allowed_now", f"There are {MOST} views already: remove one first.")
            is_shared = (known.shared if known else 0) if shared is None else int(shared)
            row = {"operator": of, "name": name, "query": query, "shared": is_shared, "created_at": tx.now()}
            tx.upsert(table, [row], ["operator", "name"], keep=["created_at"])
            self._note(tx, who, of, "save_view", name)
        return _line(row)

    def remove(self, who: Principal, name: str, *, owner: str | None = None) -> None:
        """Problem 404 when there is none of that name."""
        of = self._owner(who, owner, "remove_view", name)
        with self.database.begin() as tx:
            if not tx.execute(delete(table).where(_of(who, of, name))).rowcount:
                raise not_found()
            self._note(tx, who, of, "remove_view", name)

    def _owner(self, who: Principal, owner: str | None, action: str, name: str) -> str:
        """Whose view it is; Problem 403 for somebody else's, unless an admin asks."""
        if owner is None or owner == who.stable_name:
            return who.stable_name
        require(self.database, who, "admin", action, _target(owner, name))
        return owner

    @staticmethod
    def _note(tx: Tx, who: Principal, of: str, action: str, name: str) -> None:
        """What an admin does to somebody else's view is in the audit."""
        if of != who.stable_name:
            record(tx, who, AuditLine(action, _target(of, name)), tx.now())


def _nothing(query: str) -> str:
    return ""


def _of(who: Principal, owner: str, name: str) -> ColumnElement[bool]:
    """Of somebody else only what is shared can be reached."""
    found = (table.c.operator == owner) & (table.c.name == name)
    return found if owner == who.stable_name else found & _IS_SHARED


def _count(tx: Tx, owner: str) -> int:
    found: int = tx.execute(select(func.count()).select_from(table).where(table.c.operator == owner)).scalar_one()
    return found


def _target(owner: str, name: str) -> str:
    return f"view:{owner}/{name}"[:200]


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {"name": row["name"], "query": row["query"], "owner": row["operator"], "shared": bool(row["shared"])}

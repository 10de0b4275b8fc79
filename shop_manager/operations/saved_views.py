"""Saved views: filters of the list of Clerks under names of an operator's own, kept as the query of the list's URL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select

from http_api.conventions import page
from http_api.principals import Principal
from http_api.problems import Problem, not_found
from messaging.database import Database
from shop_manager.engine.tables import operations_schema

MOST = 50
"""Views that one operator can keep."""
table = operations_schema.views


class Views:
    """Each operator sees and changes only their own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all_of(self, who: Principal) -> dict[str, Any]:
        """A page of `{name, query}`, by name."""
        mine = select(table.c.name, table.c.query).where(table.c.operator == who.stable_name).order_by(table.c.name)
        with self.database.read() as tx:
            lines = [{"name": row.name, "query": row.query} for row in tx.execute(mine)]
        return page(lines, MOST, None)

    def save(self, who: Principal, name: str, query: str) -> dict[str, Any]:
        """`{name, query}`; a name that is there gets the new query. Problem 409 when there are MOST others."""
        with self.database.begin() as tx:
            others = (table.c.operator == who.stable_name) & (table.c.name != name)
            if tx.execute(select(func.count()).select_from(table).where(others)).scalar_one() >= MOST:
                raise Problem("not_allowed_now", f"There are {MOST} views already: remove one first.")
            row = {"operator": who.stable_name, "name": name, "query": query, "created_at": tx.now()}
            tx.upsert(table, [row], ["operator", "name"], keep=["created_at"])
        return {"name": name, "query": query}

    def remove(self, who: Principal, name: str) -> None:
        """Problem 404 when there is none of that name."""
        with self.database.begin() as tx:
            mine = (table.c.operator == who.stable_name) & (table.c.name == name)
            if not tx.execute(delete(table).where(mine)).rowcount:
                raise not_found()

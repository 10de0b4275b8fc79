"""Who may do what: a viewer sees, an operator acts, an admin also manages people, keys and bulk (dashboard.md)."""

from __future__ import annotations

from doors.callers import Caller, has_role
from doors.keys import Role
from doors.problems import Problem
from messaging.database import Database
from shop_manager.operations.audit import Line, record


def require(database: Database, who: Caller, role: Role, action: str, target: str) -> None:
    """Goes on when the caller has this role or a higher one; else the attempt is written down, and Problem 403."""
    if has_role(who, role):
        return
    detail = f"This needs the role {role}."
    with database.begin() as tx:
        record(tx, who, Line(action, target, "forbidden", detail=detail), tx.now())
    raise Problem("forbidden", detail)

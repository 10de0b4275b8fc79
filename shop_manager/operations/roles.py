"""Who may do what: a viewer sees, an operator acts, an admin also manages people, keys and bulk acts."""

from __future__ import annotations

from http_api.keys import Role
from http_api.principals import Principal, has_role, wrong_role
from messaging.database import Database
from shop_manager.operations.audit import AuditLine, record


def require(database: Database, who: Principal, role: Role, action: str, target: str) -> None:
    """Returns when `who` has this role or a higher one; else the attempt is written into the audit, and Problem 403."""
    if has_role(who, role):
        return
    problem = wrong_role(role, who.role)
    with database.begin() as tx:
        record(tx, who, AuditLine(action, target, "forbidden", detail=problem.detail), tx.now())
    raise problem

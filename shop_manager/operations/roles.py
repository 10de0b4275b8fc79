"""Who may do what: a viewer sees, support notes and cancels, an operator acts, an admin does bulk acts, people, keys.

Why there is support: docs/decisions/129.
"""

from __future__ import annotations

from http_api.keys import Role
from http_api.principals import Principal, has_role, wrong_role
from messaging.database import Database
from shop_manager.operations.audit import AuditLine, record

OF_SUPPORT = frozenset({"act", "note", "undo"})
"""Acts on a Clerk that support may do too; `act` is one of which is not known yet what it is."""


def role_for(action: str) -> Role:
    """The least role that may do this to a Clerk."""
    return "support" if action in OF_SUPPORT else "operator"


def require(database: Database, who: Principal, role: Role, action: str, target: str) -> None:
    """Returns when `who` has this role or a higher one; else the attempt is written into the audit, and Problem 403."""
    if has_role(who, role):
        return
    problem = wrong_role(role, who.role)
    with database.begin() as tx:
        record(tx, who, AuditLine(action, target, "forbidden", detail=problem.detail), tx.now())
    raise problem

"""Which acts of operators stand in the activity feed, and how: those that were done, a bulk act as one line.

What was refused, who logged in, and the lines within a bulk act are in the audit only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from http_api.principals import Principal
from messaging.database import Tx
from shop_manager.engine import activity
from shop_manager.saga.state import Saga

NOT_TOLD = frozenset({"login", "logout", "password", "bulk_preview"})
BULK = frozenset({"bulk_start", "bulk_stop"})
OF_PARKED = {"replay": "replayed", "discard": "discarded"}


class Attempt(Protocol):
    """A line of the audit (audit.AuditLine)."""

    @property
    def action(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def bulk(self) -> str | None: ...


def tell_of_act(tx: Tx, who: Principal, line: Attempt, now: int, about: Mapping[str, Any]) -> None:
    """Beside the line of the audit; `about` is more that is known, by the feed's columns."""
    is_within_bulk = line.bulk is not None and line.action not in BULK
    if line.outcome != "done" or line.action in NOT_TOLD or is_within_bulk:
        return
    kind, _, name = line.target.partition(":")
    known = {"who": who.name or who.kind, "target": line.target, "detail": line.reason} | dict(about)
    if kind == "clerk":
        known["clerk"] = name
    what = OF_PARKED.get(line.action)
    told = activity.line(now, "parked", what, **known) if what else activity.line(now, "act", line.action, **known)
    activity.add(tx, [told])


def about(saga: Saga) -> dict[str, Any]:
    """Where a Clerk was when somebody acted on it."""
    stuck, question = saga.stuck, saga.question
    known = {"process": saga.process, "step": question.step if question else None}
    return {**known, "service": stuck.service, "cause": stuck.kind, "code": stuck.code} if stuck else known

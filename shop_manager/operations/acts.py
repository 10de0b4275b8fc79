"""An operator's act on one Clerk: checks role and version; decision and audit are in one transaction (O1, T3, S9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from domain.refusals import Refused
from http_api.conventions import other_version
from http_api.principals import Principal
from http_api.problems import Problem, invalid, not_found
from messaging.database import Tx
from messaging.database_errors import ConcurrencyError
from shop_manager.engine.manager import Manager
from shop_manager.operations.activity_acts import about
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.claim_rows import keep_claim, read_claims
from shop_manager.operations.clerk_detail import clerk_detail
from shop_manager.operations.clerk_reads import read_saga
from shop_manager.operations.mentions import remember
from shop_manager.operations.roles import require, role_for
from shop_manager.saga.happenings import Act, Decision, Extend, Note, Operated
from shop_manager.saga.operator_acts import NAMES
from shop_manager.saga.state import Saga
from shop_manager.sessions.reads import Sessions


class Attempted(NamedTuple):
    """What came of an act: why it was refused, or None; the Clerk before and after it; None for a parked message
    that is discarded, or has nobody or several that it is for.
    """

    refused: Refused | None
    before: Saga | None = None
    after: Saga | None = None


Also = Callable[[Tx, Attempted, int], None]
"""What else is written in the act's transaction: (transaction, what came of it, now in ms)."""


class DoneAlready(Exception):
    """Raised by `also` when another process has done this already: the transaction is rolled back."""


class Acts:
    """Acts on Clerks. Every attempt of an operator is in the audit, refused ones too."""

    def __init__(self, sessions: Sessions) -> None:
        self.manager: Manager = sessions.manager
        self.first_steps = sessions.first_steps

    def act(self, who: Principal, clerk: str, act: Act, reason: str, version: int) -> dict[str, Any]:
        """The Clerk as `reads.clerk` has it, after the act.

        Problem: `forbidden`, `not_found`, `version_conflict` (412, nothing changed), `past_the_pivot`,
        `session_ended`, `not_allowed_now` (409), `invalid_request` for an impossible `until`, `overloaded`.
        """
        self.require(who, NAMES[type(act)], clerk)
        outcome = self.attempt(who, clerk, act, reason, version)
        if isinstance(outcome, Refused):
            raise self._problem(outcome, clerk)
        with self.manager.database.read() as tx:
            return self._detail(tx, outcome)

    def require(self, who: Principal, action: str, clerk: str) -> None:
        """Problem `forbidden` for whose role is too small for it; the attempt is written down."""
        require(self.manager.database, who, role_for(action), action, f"clerk:{clerk}")

    def attempt(
        self, who: Principal, clerk: str, act: Act, reason: str, version: int, *, also: Also | None = None,
        bulk: str | None = None,
    ) -> Saga | Refused:  # fmt: skip
        """Like `act`, with the refusal as a value. Problem only for an unknown Clerk, or `overloaded`.

        `bulk`: the bulk act that it is a part of.
        """

        def write_down(tx: Tx, before: Saga, decision: Decision, now: int) -> None:
            record(tx, who, replace(_line(act, reason, version, before, decision), bulk=bulk), now, about(before))
            if isinstance(act, Note) and not decision.refused:
                remember(tx, who, before.id, decision.saga.version, act.text)
            if isinstance(act, Extend) and not decision.refused:
                keep_claim(tx, before, decision.saga)
            if also:
                also(tx, Attempted(decision.refused, before, decision.saga), now)

        happening = Operated(act, who.name or who.kind, reason)
        try:
            outcome = self.manager.execute(clerk, happening, version, write_down)
        except ConcurrencyError:
            raise Problem("overloaded", "The Clerk is changing too quickly just now.", session_id=clerk) from None
        if outcome is None:
            raise not_found()
        return outcome

    def _detail(self, tx: Tx, saga: Saga) -> dict[str, Any]:
        """As `reads.clerk` has it."""
        claim = read_claims(tx, [saga.id]).get(saga.id) if not saga.ended else None
        manager = self.manager
        return clerk_detail(saga, manager.processes, self.first_steps, tx.now(), policy=manager.policy, claim=claim)

    def _problem(self, refused: Refused, clerk: str) -> Problem:
        if refused.code == "invalid_request":
            return invalid("$.until", refused.detail)
        if refused.code == "version_conflict":
            with self.manager.database.read() as tx:
                saga = read_saga(tx, clerk)
                current = self._detail(tx, saga)
            return other_version(saga.version, current, refused.detail, clerk)
        return Problem(refused.code, refused.detail, session_id=clerk)


def _line(act: Act, reason: str, seen: int, before: Saga, decision: Decision) -> AuditLine:
    refused = decision.refused
    return AuditLine(
        action=NAMES[type(act)],
        target=f"clerk:{before.id}",
        outcome=refused.code if refused else "done",
        reason=reason,
        detail=refused.detail if refused else "",
        seen=seen,
        before=_state(before),
        after=_state(decision.saga),
    )


def _state(saga: Saga) -> dict[str, Any]:
    """What the audit keeps of a Clerk: no document, and nothing about a person."""
    return {
        "version": saga.version,
        "status": saga.status,
        "step": saga.question.step if saga.question else None,
        "attempt": saga.question.attempt if saga.question else None,
        "stuck": saga.stuck.kind if saga.stuck else None,
    }

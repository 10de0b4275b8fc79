"""Who looks after a stuck Clerk: claim, take over, release, snooze (docs/decisions/139).

A claim belongs to one time of being stuck, and ends with it: nobody has to give back what is healed. More time heals
nothing, and ends no claim (docs/decisions/144).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import delete, exists, select, update

from domain.times import days, to_wire
from http_api.conventions import Body, example
from http_api.principals import Principal
from http_api.problems import Problem, invalid
from messaging.database import Tx
from shop_manager.engine.tables import COUNTS, clerks
from shop_manager.operations.activity_acts import about
from shop_manager.operations.audit import AuditLine, record
from shop_manager.operations.claim import Claim
from shop_manager.operations.claim_rows import key_of, read_claims, table
from shop_manager.operations.clerk_detail import clerk_detail
from shop_manager.operations.clerk_reads import read_saga
from shop_manager.operations.requests import Moment, Said, moment_in
from shop_manager.operations.roles import require
from shop_manager.sessions.reads import Sessions

ClaimAction = Literal["claim", "release", "snooze"]
LONGEST = days(7)
"""For how long something may be put off."""


class ClaimAsk(Body):
    """`instead_of` names who has it now: only then it is taken over, and a `reason` is needed."""

    model_config = example({"action": "claim"})

    action: ClaimAction
    until: Annotated[Moment | None, Field(description="of `snooze`: until when it is put off")] = None
    instead_of: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    reason: Said | None = None


class Claims:
    """Each act needs an operator, and every attempt is in the audit. The same act again is the same answer."""

    def __init__(self, sessions: Sessions) -> None:
        self.manager = sessions.manager
        self.first_steps = sessions.first_steps

    def require(self, who: Principal, clerk: str, action: str = "claim") -> None:
        """Problem `forbidden` for whose role is too small for it; the attempt is written down."""
        require(self.manager.database, who, "operator", action, f"clerk:{clerk}")

    def act(self, who: Principal, clerk: str, asked: ClaimAsk) -> dict[str, Any]:
        """The Clerk as `reads.clerk` has it, after the act.

        Problem: `forbidden`, `not_found`; `not_allowed_now` (409) for a Clerk that is not stuck, or that somebody else
        has; `invalid_request` for a wrong `until`, or a field that the act does not take.
        """
        self.require(who, clerk, asked.action)
        _check_fields(asked)
        manager = self.manager
        with manager.database.begin() as tx:
            now = tx.lock(["claims"])
            saga = read_saga(tx, clerk)
            since = saga.stuck.since if saga.stuck else None
            before = read_claims(tx, [clerk]).get(clerk)
            after, refused = before, _why_not(who, since, before, asked)
            if refused is None:
                after = _after(who, before, asked, now)
            states = [None if each is None else each.as_json(now) for each in (before, after)]
            about_it = about(saga) if refused or after != before else None
            record(tx, who, _line(clerk, asked, states, refused), now, about_it)
            if after != before:
                _store(tx, clerk, since, after)
        if refused:
            raise Problem("not_allowed_now", refused, session_id=clerk)
        return clerk_detail(saga, manager.processes, self.first_steps, now, policy=manager.policy, claim=after)


def _check_fields(asked: ClaimAsk) -> None:
    if asked.action == "snooze" and asked.until is None:
        raise invalid("$.until", "snooze needs it")
    if asked.action != "snooze" and asked.until is not None:
        raise invalid("$.until", f"{asked.action} does not take it")
    if asked.action != "claim" and asked.instead_of is not None:
        raise invalid("$.instead_of", f"{asked.action} does not take it")
    if asked.instead_of is not None and asked.reason is None:
        raise invalid("$.reason", "taking over needs it")


def _why_not(who: Principal, since: int | None, before: Claim | None, asked: ClaimAsk) -> str | None:
    if since is None and asked.action != "release" and (before is None or asked.action == "snooze"):
        return "It is not stuck: there is nothing to look after."
    if before is None or before.who_key == key_of(who):
        return None
    if asked.action == "claim" and asked.instead_of == before.who:
        return None
    take_over = "look again" if asked.instead_of else "take it over, and say why"
    return f"{before.who} has it since {to_wire(before.at)[:19]}Z: {take_over}."


def _after(who: Principal, before: Claim | None, asked: ClaimAsk, now: int) -> Claim | None:
    if asked.action == "release":
        return None
    own = before if before and before.who_key == key_of(who) else None
    until = _until(asked, now) if asked.action == "snooze" else None
    return Claim((who.name or who.kind)[:128], key_of(who), own.at if own else now, until)


def _until(asked: ClaimAsk, now: int) -> int:
    until = moment_in("$.until", asked.until or "")
    if not now < until <= now + LONGEST:
        raise invalid("$.until", "a moment within the next 7 days is needed")
    return until


def _store(tx: Tx, clerk: str, since: int | None, after: Claim | None) -> None:
    """Claims that are over go at the same time."""
    tx.execute(delete(table).where(~exists(select(clerks.c.id).where(COUNTS))))
    if after is None:
        tx.execute(delete(table).where(table.c.clerk == clerk))
    elif since is None:  # it has more time
        tx.execute(update(table).where(table.c.clerk == clerk).values(**after._asdict()))
    else:
        tx.upsert(table, [{"clerk": clerk, "stuck_since": since, **after._asdict()}], ["clerk"])


def _line(clerk: str, asked: ClaimAsk, states: Sequence[Mapping[str, Any] | None], refused: str | None) -> AuditLine:
    """`states`: the claim before and after."""
    action = "take_over" if asked.instead_of else asked.action
    outcome = "not_allowed_now" if refused else "done"
    detail, reason = refused or "", asked.reason or ""
    return AuditLine(action, f"clerk:{clerk}", outcome, reason, detail, before=states[0], after=states[1])

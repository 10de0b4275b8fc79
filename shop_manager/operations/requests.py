"""What operators may send with an act, checked: an action, its reason, and what this action takes besides."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from domain.times import from_wire
from doors.answers import Body, Id
from doors.keys import Role
from doors.problems import Problem, WrongField, invalid
from shop_manager.happenings import Act, Extend, Note, Retry, Settle, SettledOutcome, Undo
from shop_manager.listing import Filter
from shop_manager.operations.allowed import NEEDS
from shop_manager.public import PublicStatus
from shop_manager.saga import StuckKind

ClerkAction = Literal["retry", "undo", "extend", "settle", "note"]
ParkedAction = Literal["replay", "discard"]
BulkAction = Literal["retry", "undo", "extend", "note", "replay", "discard"]
MOST = 1_000
"""Things that one bulk act can be for."""
MAY_TAKE: dict[str, set[str]] = {**{name: set(needs) for name, needs in NEEDS.items()}}
MAY_TAKE["settle"].add("undo")
TAKEN = ("until", "step", "outcome", "evidence", "undo")


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("a blank text says nothing")
    return text.strip()


Said = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_said)]
"""A text that a person wrote: why, or what shows it."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
Moment = Annotated[str, Field(max_length=40, description="RFC 3339")]


class Parameters(Body):
    """What an act takes besides its reason: `extend` a moment `until`; `settle` step, outcome, evidence, and `undo`."""

    until: Moment | None = None
    step: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    outcome: SettledOutcome | None = None
    evidence: Said | None = None
    undo: bool | None = None


class ClerkAct(Parameters):
    """An act on one Clerk. A note's text is its reason."""

    action: ClerkAction
    reason: Said

    def act(self) -> Act:
        """Problem 422 names every field that is missing, or that this action does not take."""
        return act_of(self.action, self.reason, self)


class ParkedAct(Body):
    action: ParkedAction
    reason: Said


class BulkFilter(Body):
    """Which things a bulk act is for: the filters of the list of Clerks, or for parked messages their `service`."""

    stuck: bool | None = None
    kind: StuckKind | None = None
    status: PublicStatus | None = None
    step: Name | None = None
    process: Name | None = None
    shop: Id | None = None
    customer: Id | None = None
    client_reference: Name | None = None
    service: Name | None = None

    def clerks(self) -> Filter:
        return Filter(**self.model_dump(exclude={"service"}))


class BulkAsk(Body):
    """What shall be done to many: those of a filter as they are found now, or those named by their ids."""

    action: BulkAction
    reason: Said
    filter: BulkFilter | None = None
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)] | None = None
    until: Moment | None = None

    def parameters(self) -> Parameters:
        return Parameters(until=self.until)


class BulkPace(Body):
    per_minute: Annotated[int, Field(ge=1, le=1200)] = 60


class PersonAsk(Body):
    name: Id
    role: Role
    reason: Said


class PersonAct(Body):
    """`role` needs the new role."""

    action: Literal["role", "renew", "disable"]
    role: Role | None = None
    reason: Said

    @model_validator(mode="after")
    def _role_fits(self) -> PersonAct:
        if (self.action == "role") != (self.role is not None):
            raise ValueError("`role` is needed for the action role, and for no other")
        return self


class KeyAsk(Body):
    scope: Literal["server", "warehouse"]
    name: Annotated[str, Field(min_length=1, max_length=128)]
    reason: Said


class KeyAct(Body):
    action: Literal["revoke"]
    reason: Said


class ViewAsk(Body):
    """`query` is what stands behind the `?` of the list's address."""

    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_said)]
    query: Annotated[str, Field(max_length=2000)]


def act_of(action: str, reason: str, given: Parameters) -> Act:
    """The act that a request describes; Problem 422 names every wrong field."""
    _check_fields(action, given)
    if action == "extend":
        return Extend(_moment(given.until or ""))
    if action == "settle" and given.step and given.outcome and given.evidence:
        return Settle(given.step, given.outcome, given.evidence, bool(given.undo))
    if action == "note":
        return Note(reason)
    return Undo() if action == "undo" else Retry()


def _check_fields(action: str, given: Parameters) -> None:
    wrong: list[WrongField] = []
    for name in TAKEN:
        value = getattr(given, name)
        if value is None and name in NEEDS[action]:
            wrong.append({"param": f"$.{name}", "detail": f"{action} needs it"})
        elif value is not None and name not in MAY_TAKE[action]:
            wrong.append({"param": f"$.{name}", "detail": f"{action} does not take it"})
    if given.undo and given.outcome in ("refused", "undone"):
        wrong.append({"param": "$.undo", "detail": "only what is settled as done can be undone later"})
    if wrong:
        first = wrong[0]
        raise Problem("invalid_request", f"{first['param']}: {first['detail']}", param=first["param"], errors=wrong)


def _moment(text: str) -> int:
    try:
        return from_wire(text)
    except ValueError:
        raise invalid("$.until", "an RFC 3339 time such as 2026-11-24T10:00:00Z is needed") from None

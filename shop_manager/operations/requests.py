"""The bodies of operators' requests, checked: an action, its reason, and the other fields that it takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, TypeAdapter, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.times import from_wire
from http_api.conventions import MOMENT_ALLOWED, Body, Id, example, not_blank
from http_api.keys import Role, expiry
from http_api.problems import Problem, WrongField, invalid
from shop_manager.operations.ages import (
    MOMENT_SAYS,
    SINCE_SAYS,
    TIMES,
    checked_age,
    checked_moment,
    checked_since,
    read_times,
)
from shop_manager.operations.allowed import NEEDS
from shop_manager.saga.happenings import (
    Act,
    Extend,
    Note,
    Retry,
    Settle,
    SettledOutcome,
    Undo,
)
from shop_manager.saga.state import StuckKind
from shop_manager.sessions.listing import Filter
from shop_manager.sessions.view import PublicStatus

ClerkAction = Literal["retry", "undo", "extend", "settle", "note"]
ParkedAction = Literal["replay", "discard"]
BulkAction = Literal["retry", "undo", "extend", "note", "replay", "discard"]
MOST = 1_000
"""Clerks or parked messages in one bulk act."""
MAY_TAKE: dict[str, set[str]] = {**{name: set(needs) for name, needs in NEEDS.items()}}
MAY_TAKE["settle"].add("undo")
TAKEN = ("until", "step", "outcome", "evidence", "undo")


def _said(text: str) -> str:
    return not_blank(text).strip()


Said = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_said)]
"""A text that a person wrote: why, or what shows it."""
ShortText = Annotated[str, Field(min_length=1, max_length=200)]
Age = Annotated[str, Field(max_length=20), AfterValidator(checked_age)]
"""How old a Clerk is at least: `90s`, `15m`, `2h`, `1d`."""
Since = Annotated[str, Field(max_length=40, description=SINCE_SAYS), AfterValidator(checked_since)]
When = Annotated[str, Field(max_length=40, description=MOMENT_SAYS), AfterValidator(checked_moment)]
Moment = Annotated[str, Field(max_length=40, description="RFC 3339")]


def by_action(schema: JsonSchemaValue) -> JsonSchemaValue:
    """A choice of acts that their `action` tells apart; `http_api/openapi.py` adds which is which."""
    return {"oneOf": schema["anyOf"], "discriminator": {"propertyName": "action"}}


class Parameters(Body):
    """What an act takes besides its reason: `extend` a moment `until`; `settle` step, outcome, evidence, and `undo`."""

    until: Moment | None = None
    step: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    outcome: SettledOutcome | None = None
    evidence: Said | None = None
    undo: bool | None = None


class RetryAct(Body):
    """The open question is asked anew."""

    model_config = example({"action": "retry", "reason": "risk is up again"})

    action: Literal["retry"]
    reason: Said


class UndoAct(Body):
    """The order is stopped, and undone."""

    model_config = example({"action": "undo", "reason": "the customer has called"})

    action: Literal["undo"]
    reason: Said


class ExtendAct(Body):
    """More time, until this moment."""

    model_config = example({"action": "extend", "reason": "it is being packed", "until": "2026-11-24T12:00:00Z"})

    action: Literal["extend"]
    reason: Said
    until: Moment


class SettleAct(Body):
    """The operator answers for the service. `undo`: what is settled as done is undone later, if the order is."""

    model_config = example(
        {
            "action": "settle",
            "reason": "payment does not answer",
            "step": "payment",
            "outcome": "undone",
            "evidence": "voided in the provider's console",
        }
    )

    action: Literal["settle"]
    reason: Said
    step: Annotated[str, Field(min_length=1, max_length=128)]
    outcome: SettledOutcome
    evidence: Said
    undo: bool | None = None


class NoteAct(Body):
    """The reason is a note in the timeline."""

    model_config = example({"action": "note", "reason": "the customer has been told"})

    action: Literal["note"]
    reason: Said


ClerkActs = RetryAct | UndoAct | ExtendAct | SettleAct | NoteAct
"""As the OpenAPI document shows acts: by their action. What is checked is ClerkAct, which names every wrong field."""


class ClerkAct(Parameters):
    """An act on one Clerk. A note's text is its reason."""

    action: ClerkAction
    reason: Said

    @classmethod
    def __get_pydantic_json_schema__(cls, _core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return by_action(handler(TypeAdapter(ClerkActs).core_schema))

    def act(self) -> Act:
        """Problem 422 names every field that is missing, or that this action does not take."""
        return act_of(self.action, self.reason, self)


class ParkedAct(Body):
    model_config = example({"action": "replay", "reason": "the cause is mended"})

    action: ParkedAction
    reason: Said


class BulkFilter(Body):
    """Which things a bulk act is for: the filters of the list of Clerks, or for parked messages `service`
    and `parked_reason`."""

    stuck: bool | None = None
    kind: StuckKind | None = None
    code: ShortText | None = None
    older_than: Age | None = None
    updated_since: Since | None = None
    created_after: When | None = None
    created_before: When | None = None
    status: PublicStatus | None = None
    step: ShortText | None = None
    process: ShortText | None = None
    shop: Id | None = None
    customer: Id | None = None
    client_reference: ShortText | None = None
    service: ShortText | None = None
    parked_reason: ShortText | None = None
    mine: bool | None = None

    def clerks(self, now: int, operator: str) -> Filter:
        """`operator`: whose claims are `mine`, as claims are told apart."""
        given = self.model_dump(exclude={"service", "parked_reason", *TIMES})
        found = Filter(**given, operator=operator)
        return read_times(*(getattr(self, name) for name in TIMES)).of(found, now)


class BulkAsk(Body):
    """What shall be done to many: those of a filter as they are found now, or those named by their ids."""

    model_config = example({"action": "retry", "reason": "risk is up again", "filter": {"step": "credit"}})

    action: BulkAction
    reason: Said
    filter: BulkFilter | None = None
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)] | None = None
    until: Moment | None = None
    leave_claimed: Annotated[bool, Field(description="nothing is done to what somebody else has claimed")] = False

    def parameters(self) -> Parameters:
        return Parameters(until=self.until)


class BulkPace(Body):
    model_config = example({"per_minute": 60})

    per_minute: Annotated[int, Field(ge=1, le=1200)] = 60


class PersonAsk(Body):
    model_config = example({"name": "grace", "role": "operator", "reason": "joins the night shift"})

    name: Id
    role: Role
    reason: Said


class RoleAct(Body):
    """Another role."""

    model_config = example({"action": "role", "role": "viewer", "reason": "has left the night shift"})

    action: Literal["role"]
    role: Role
    reason: Said


class RenewAct(Body):
    """A new password and a new key."""

    model_config = example({"action": "renew", "reason": "has lost the password"})

    action: Literal["renew"]
    reason: Said


class DisableAct(Body):
    """Nothing opens for that person any more."""

    model_config = example({"action": "disable", "reason": "has left"})

    action: Literal["disable"]
    reason: Said


PersonActs = RoleAct | RenewAct | DisableAct
"""As ClerkActs, of PersonAct."""


class PersonAct(Body):
    """`role` needs the new role."""

    action: Literal["role", "renew", "disable"]
    role: Role | None = None
    reason: Said

    @classmethod
    def __get_pydantic_json_schema__(cls, _core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return by_action(handler(TypeAdapter(PersonActs).core_schema))

    @model_validator(mode="after")
    def _role_fits(self) -> PersonAct:
        if (self.action == "role") != (self.role is not None):
            raise ValueError("`role` is needed for the action role, and for no other")
        return self


class KeyAsk(Body):
    """It never expires without `expires_in_days` or `expires_at`."""

    model_config = example({"scope": "warehouse", "name": "scanner 3", "expires_in_days": 365, "reason": "a new one"})

    scope: Literal["server", "warehouse", "monitoring"]
    name: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_said)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    expires_at: Moment | None = None
    reason: Said

    def expiry(self, now: int) -> int | None:
        """The moment; Problem 422 when it is not in the future, or said in both ways."""
        try:
            return expiry(now, in_days=self.expires_in_days, at=self.expires_at)
        except ValueError as error:
            raise invalid("$.expires_at", str(error)) from None


class KeyAct(Body):
    model_config = example({"action": "revoke", "reason": "the scanner was lost"})

    action: Literal["revoke"]
    reason: Said


def _without_slash(name: str) -> str:
    """No address of ours takes an encoded one, so nobody could forget it."""
    if "/" in name or "\\" in name:
        raise ValueError("a name without / and \\ is needed")
    return name


class ViewAsk(Body):
    """`query` is what stands behind the `?` of the list's address."""

    model_config = example({"name": "stuck", "query": "stuck=yes", "shared": True})

    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_said), AfterValidator(_without_slash)]
    query: Annotated[str, Field(max_length=2000)]
    shared: Annotated[
        bool | None, Field(description="with all; else it stays as it is, and a new one is one's own")
    ] = None
    owner: Annotated[Id | None, Field(description="whose shared view is changed; for admins")] = None


def act_of(action: str, reason: str, given: Parameters) -> Act:
    """The act that a request describes; Problem 422 names every wrong field."""
    _check_fields(action, given)
    if action == "extend":
        return Extend(moment_in("$.until", given.until or ""))
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


def moment_in(field: str, text: str) -> int:
    """A moment in ms; Problem 422 names the field."""
    try:
        return from_wire(text)
    except (ValueError, OverflowError):
        raise invalid(field, MOMENT_ALLOWED) from None

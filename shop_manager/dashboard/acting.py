"""Acts that come from a form: who acts, and the same request that `/ops` takes as JSON, with the same checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from doors.callers import Caller
from doors.problems import Problem, WrongField
from shop_manager.dashboard.shell import login_of
from shop_manager.operations.requests import ClerkAct

Wanted = TypeVar("Wanted", bound=BaseModel)
TELLING = frozenset({"version_conflict", "version_required", "past_the_pivot", "session_ended", "not_allowed_now",
                     "invalid_request", "overloaded"})  # fmt: skip
"""Refusals after which the same page is shown again, as it is now, with what was typed."""
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_FIELDS = ("step", "outcome", "evidence")


def caller_of(request: Request) -> Caller:
    """Who is logged in, as the operations know callers."""
    login = login_of(request)
    return Caller("operator", login.role, login.operator)


def clerk_act(form: Mapping[str, str]) -> ClerkAct:
    """Problem 422 names every wrong field."""
    given: dict[str, object] = {name: form.get(name, "") for name in ("action", "reason")}
    given |= {name: form[name] for name in _FIELDS if form.get(name)} | moment_in(form)
    if form.get("undo"):
        given["undo"] = True
    return checked(ClerkAct, given)


def checked(model: type[Wanted], given: Mapping[str, object]) -> Wanted:
    """The request, or Problem 422 with each wrong field and why."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = [WrongField(param=_place(each["loc"]), detail=each["msg"]) for each in error.errors()]
        told = "; ".join(f"{each['param']}: {each['detail']}" for each in wrong)
        raise Problem("invalid_request", told, errors=wrong) from None


def version_in(form: Mapping[str, str]) -> int:
    """The version that the form was made from (O1)."""
    given = form.get("version", "")
    if not re.fullmatch(r"[0-9]{1,18}", given):
        raise Problem("version_required", "The form does not say which version was seen: open the page again.")
    return int(given)


def moment_in(form: Mapping[str, str]) -> dict[str, str]:
    """`until` as RFC 3339, if it was given: a field for date and time holds it without a zone, and we ask for UTC."""
    given = form.get("until", "")
    if not _LOCAL.fullmatch(given):
        return {"until": given} if given else {}
    return {"until": f"{given}:00Z" if len(given) == 16 else f"{given}Z"}


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(each) for each in location) or "the form"

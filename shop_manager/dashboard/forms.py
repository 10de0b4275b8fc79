"""Forms as requests: each form of a page becomes the request model that `/ops` takes as JSON, with the same checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from domain.times import to_wire
from http_api.principals import Principal
from http_api.problems import Problem, WrongField
from http_api.validation_errors import detail_for_people
from shop_manager.dashboard.form_numbers import is_number
from shop_manager.dashboard.layout import login_of
from shop_manager.operations.claims import ClaimAsk
from shop_manager.operations.moments import moment_of
from shop_manager.operations.requests import ClerkAct

Model = TypeVar("Model", bound=BaseModel)
SHOWN_ON_THE_PAGE = frozenset({"version_conflict", "version_required", "past_the_pivot", "session_ended",
                               "not_allowed_now", "invalid_request", "overloaded"})  # fmt: skip
"""Codes of problems after which the same page is shown again, as it is now, with what was typed (decision 045)."""
_FIELDS = ("step", "outcome", "evidence")


def principal_of(request: Request) -> Principal:
    """Who is logged in, as the operations know callers of `/ops`."""
    return login_of(request).principal


def raise_unless_shown(problem: Problem) -> None:
    """Raises every problem that gets an error page of its own."""
    if problem.code not in SHOWN_ON_THE_PAGE:
        raise problem


def clerk_act_request(form: Mapping[str, str], now: int) -> ClerkAct:
    """Problem 422 names every wrong field. `now` (ms) is what `in 2 hours` counts from."""
    given: dict[str, object] = {name: form.get(name, "") for name in ("action", "reason")}
    given |= {name: form[name] for name in _FIELDS if form.get(name)} | until_in(form, now)
    if form.get("undo"):
        given["undo"] = True
    return validated(ClerkAct, given)


def claim_request(form: Mapping[str, str], now: int) -> ClaimAsk:
    """Problem 422 names every wrong field."""
    given = {name: form[name] for name in ("instead_of", "reason") if form.get(name)}
    return validated(ClaimAsk, {"action": form.get("action", ""), **given, **until_in(form, now)})


def validated(model: type[Model], given: Mapping[str, object]) -> Model:
    """The request, or Problem 422 with each wrong field and why."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = [_wrong(each) for each in error.errors()]
        detail = "; ".join(f"{each['param']}: {each['detail']}" for each in wrong)
        raise Problem("invalid_request", detail, errors=wrong) from None


def version_in(form: Mapping[str, str]) -> int:
    """The version of the Clerk, or message, that the form's page has shown (O1)."""
    given = form.get("version", "")
    if not is_number(given):
        raise Problem("version_required", "The form does not say which version was seen: open the page again.")
    return int(given)


def until_in(form: Mapping[str, str], now: int) -> dict[str, str]:
    """`until` as RFC 3339, if it was given: as people write it, in the time zone that the form names as `zone`.

    Problem 422 says what is allowed.
    """
    given = form.get("until", "").strip()
    try:
        return {"until": to_wire(moment_of(given, now, form.get("zone", "")))} if given else {}
    except ValueError as error:
        wrong = WrongField(param="until", detail=str(error))
        raise Problem("invalid_request", f"until: {error}", errors=[wrong]) from None


def _wrong(error: Mapping[str, Any]) -> WrongField:
    """In the words of `/ops`, by the name of the form's field."""
    name = ".".join(str(each) for each in error["loc"]) or "the form"
    return WrongField(param=name, detail=detail_for_people({**error, "loc": ("form", *error["loc"])}))

"""The OpenAPI document shows operators' acts by their action: whatever fits there is taken, and nothing else is."""

from __future__ import annotations

from itertools import chain, combinations, product
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from http_api.problems import Problem
from shop_manager.operations.requests import ClerkAct, ClerkAction, PersonAct

OF_CLERKS = {
    "until": "2026-11-24T10:00:00Z",
    "step": "payment",
    "outcome": "done",
    "evidence": "the bank's statement",
    "undo": True,
    "unheard": "of",
}


def some_of(members: dict[str, Any]) -> list[dict[str, Any]]:
    """Every choice of the members."""
    choices = chain.from_iterable(combinations(members.items(), count) for count in range(len(members) + 1))
    return [dict(choice) for choice in choices]


@pytest.mark.parametrize("action", get_args(ClerkAction))
def test_an_act_on_a_clerk_is_taken_when_it_fits_its_schema(action: str) -> None:
    fits = Draft202012Validator(ClerkAct.model_json_schema()).is_valid
    for more in some_of({"reason": "seen", **OF_CLERKS}):
        body = {"action": action, **more}
        assert fits(body) == is_taken(body), body


def test_an_act_on_a_person_is_taken_when_it_fits_its_schema() -> None:
    fits = Draft202012Validator(PersonAct.model_json_schema()).is_valid
    for action, more in product(("role", "renew", "disable", "promote"), some_of({"reason": "new", "role": "viewer"})):
        body = {"action": action, **more}
        try:
            PersonAct.model_validate(body)
        except ValidationError:
            assert not fits(body), body
        else:
            assert fits(body), body


def is_taken(body: dict[str, Any]) -> bool:
    try:
        ClerkAct.model_validate(body).act()
    except (ValidationError, Problem):
        return False
    return True

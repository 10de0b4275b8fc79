"""Why something is done must be a text that a person can read, in every request that takes one (security S9)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from http_api.conventions import Body
from shop_manager.operations.claims import ClaimAsk
from shop_manager.operations.forgetting import ForgetAsk
from shop_manager.operations.requests import (
    BulkAsk,
    ClerkAct,
    DisableAct,
    ExtendAct,
    KeyAct,
    KeyAsk,
    NoteAct,
    ParkedAct,
    PersonAct,
    PersonAsk,
    RenewAct,
    RetryAct,
    RoleAct,
    SettleAct,
    UndoAct,
    ViewAsk,
)
from shop_manager.operations.runbooks import RunbookAsk
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_bulk import BOSS

UNSEEN = ["", "   ", "\u200b", "\ufeff\u2060", "\u2028", "\u3164", "\u0301", "\xa0\u200d"]
ACTS: dict[type[Body], str] = {
    RetryAct: "retry",
    UndoAct: "undo",
    NoteAct: "note",
    RenewAct: "renew",
    DisableAct: "disable",
}
GIVEN: list[tuple[type[Body], dict[str, Any], tuple[str, ...]]] = [
    (ClerkAct, {"action": "note", "reason": "asked"}, ("reason",)),
    (ClerkAct, {"action": "settle", "reason": "asked", "evidence": "seen"}, ("reason", "evidence")),
    *((model, {"action": action, "reason": "asked"}, ("reason",)) for model, action in ACTS.items()),
    (ExtendAct, {"action": "extend", "reason": "asked", "until": "2026-11-30T12:00:00Z"}, ("reason",)),
    (
        SettleAct,
        {"action": "settle", "reason": "asked", "step": "payment", "outcome": "undone", "evidence": "seen"},
        ("reason", "evidence"),
    ),
    (RoleAct, {"action": "role", "role": "viewer", "reason": "moved"}, ("reason",)),
    (ParkedAct, {"action": "discard", "reason": "noise"}, ("reason",)),
    (BulkAsk, {"action": "retry", "reason": "up again"}, ("reason",)),
    (PersonAsk, {"name": "ada", "role": "viewer", "reason": "new"}, ("reason",)),
    (PersonAct, {"action": "renew", "reason": "lost it"}, ("reason",)),
    (KeyAsk, {"scope": "server", "name": "webshop", "reason": "new"}, ("reason", "name")),
    (KeyAct, {"action": "revoke", "reason": "leaked"}, ("reason",)),
    (RunbookAsk, {"service": "payment", "responsible": "the night", "reason": "new"}, ("reason", "responsible")),
    (ClaimAsk, {"action": "claim", "instead_of": "nora", "reason": "she sleeps"}, ("reason",)),
    (ViewAsk, {"name": "mine", "query": ""}, ("name",)),
    (ForgetAsk, {"customer": "ada", "reason": "request 17"}, ("reason",)),
]
CASES = [(model, given, field) for model, given, fields in GIVEN for field in fields]


@pytest.mark.parametrize(("model", "given", "field"), CASES, ids=lambda each: getattr(each, "__name__", None))
def test_S9_a_text_of_which_nothing_is_seen_is_refused_like_an_empty_one(
    model: type[Body], given: dict[str, Any], field: str
) -> None:
    model.model_validate(given)
    for text in UNSEEN:
        with pytest.raises(ValidationError) as refused:
            model.model_validate({**given, field: text})
        assert [error["loc"] for error in refused.value.errors()] == [(field,)], repr(text)


def test_S9_no_request_with_a_reason_is_forgotten() -> None:
    ours = {model for model in _models(Body) if model.__module__.startswith("shop_manager.")}
    with_reason = {model for model in ours if "reason" in model.model_fields}
    assert with_reason == {model for model, _, fields in GIVEN if "reason" in fields}


def _models(model: type[Body]) -> set[type[Body]]:
    below = set(model.__subclasses__())
    return below | {inner for each in below for inner in _models(each)}


@pytest.mark.parametrize("name", ["\u200b", "\u2060\ufeff", "\u3164"])
def test_a_name_of_which_nothing_is_seen_is_refused(harness: HttpHarness, name: str) -> None:
    for path, body in (
        ("/shop/customers/ada", {"name": name}),
        ("/shop/shops/toys", {"name": name, "type": "physical"}),
    ):
        refused = harness.call("PUT", path, SERVER, json=body)
        assert (refused.status_code, refused.json()["param"]) == (422, "$.name")


def test_S9_the_refusal_names_the_field(harness: HttpHarness) -> None:
    body = {"scope": "server", "name": "webshop", "reason": "\u200b\u200b"}
    refused = harness.call("POST", "/ops/keys", BOSS, json=body)
    assert (refused.status_code, refused.json()["code"], refused.json()["param"]) == (
        422,
        "invalid_request",
        "$.reason",
    )

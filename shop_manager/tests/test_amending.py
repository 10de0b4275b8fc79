"""The client changes name, e-mail, address and metadata of a session, until the order is past the pivot."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.messages import Command
from shop_manager.processes.standard import STANDARD
from shop_manager.saga.amending import MOST
from shop_manager.saga.happenings import Amended
from shop_manager.sessions.amending_request import merged
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.saga_harness import SagaHarness, given

HOME = {"street": "Bone Street 1", "city": "Dogtown"}
PATCH_TYPE = {"Content-Type": "application/merge-patch+json"}


def patch(harness: HttpHarness, session: dict[str, Any], body: dict[str, Any], **headers: str) -> httpx.Response:
    path, key = session["links"]["self"], session.get("client_secret")
    seen = {"If-Match": f'"{session["version"]}"'}
    return harness.call("PATCH", path, key, json=body, headers=seen | headers)


def the_command(harness: HttpHarness) -> Command:
    [command] = harness.sent()
    return command


# --- what follows --------------------------------------------------------------------------------------------------


def test_what_is_amended_is_in_the_session_and_in_the_next_command(harness: HttpHarness) -> None:
    session = harness.opened(name="Ada", email="ada@example.org", shipping_address={"city": "Old"})
    assert (session["customer"], session["shipping_address"]) == (
        {"name": "Ada", "email": "ada@example.org"},
        {"city": "Old"},
    )
    answered = patch(harness, session, {"shipping_address": HOME, "name": "Ada L.", "metadata": {"gift": True}})
    assert answered.status_code == 200, answered.text
    now = answered.json()
    assert answered.headers["etag"] == f'"{session["version"] + 1}"' == f'"{now["version"]}"'
    assert (now["customer"]["name"], now["shipping_address"], now["metadata"]) == ("Ada L.", HOME, {"gift": True})
    harness.answers(the_command(harness))
    document = the_command(harness).document
    assert document["customer"]["shipping_address"] == HOME
    assert (document["customer"]["name"], document["metadata"]) == ("Ada L.", {"gift": True})


def test_null_takes_away_and_a_merge_patch_goes_into_objects(harness: HttpHarness) -> None:
    session = harness.opened(
        name="Ada", shipping_address={**HOME, "floor": 3}, metadata={"a": 1, "b": {"c": 1, "d": 2}}
    )
    body = {"name": None, "shipping_address": {"floor": None, "city": "Cattown"}, "metadata": {"b": {"c": None}}}
    now = patch(harness, session, body, **PATCH_TYPE).json()
    assert now["customer"]["name"] is None
    assert now["shipping_address"] == {"street": "Bone Street 1", "city": "Cattown"}
    assert now["metadata"] == {"a": 1, "b": {"d": 2}}
    assert patch(harness, {**session, **now}, {"metadata": None}).json()["metadata"] == {}


@pytest.mark.parametrize(
    ("target", "change", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b"}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_is_that_of_rfc_7396(target: Any, change: Any, result: Any) -> None:
    assert merged(target, change) == result


def test_what_is_so_already_changes_not_even_the_version(harness: HttpHarness) -> None:
    session = harness.opened(name="Ada")
    assert patch(harness, session, {"name": "Ada"}).json()["version"] == session["version"]
    assert patch(harness, session, {}).json()["version"] == session["version"]


def test_the_history_names_the_fields_and_keeps_nothing_personal(harness: HttpHarness) -> None:
    session = harness.opened()
    patch(harness, session, {"email": "ada@example.org", "shipping_address": HOME})
    lines = harness.get(f"/ops/clerks/{session['id']}/timeline", "op_night").json()["data"]
    assert lines[-1]["what"] == "amended"
    assert lines[-1]["data"] == {"fields": ["email", "shipping_address"], "by": "customer"}
    assert "Bone Street" not in str(lines) and "example.org" not in str(lines)


# --- who was quicker -----------------------------------------------------------------------------------------------


def test_without_the_version_that_was_seen_nothing_is_amended(harness: HttpHarness) -> None:
    session = harness.opened()
    blind = harness.call("PATCH", session["links"]["self"], session["client_secret"], json={"name": "Ada"})
    assert (blind.status_code, blind.json()["code"]) == (428, "version_required")
    assert patch(harness, session, {"name": "Ada"}, **{"If-Match": "*"}).status_code == 428


def test_who_saw_another_version_is_shown_the_session_as_it_is(harness: HttpHarness) -> None:
    session = harness.opened()
    patch(harness, session, {"name": "Ada"})
    late = patch(harness, session, {"name": "Bella"})
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert late.json()["current"]["customer"]["name"] == "Ada"
    assert late.headers["etag"] == f'"{session["version"] + 1}"'


def test_from_the_moment_the_pivot_is_asked_nothing_is_amended(harness: HttpHarness) -> None:
    session = harness.brings_all()
    harness.goes_on_to("CapturePayment")
    now = harness.session(session["id"])
    late = patch(harness, {**session, **now}, {"name": "Ada"})
    assert (late.status_code, late.json()["code"]) == (409, "past_the_pivot")


def test_of_a_session_that_ends_or_has_ended_nothing_is_amended(harness: HttpHarness) -> None:
    session = harness.opened()
    harness.call("POST", session["links"]["cancel"], SERVER)
    for _ in range(2):
        now = harness.session(session["id"])
        late = patch(harness, {**session, **now}, {"name": "Ada"})
        assert (late.status_code, late.json()["code"]) == (409, "session_ended")
        harness.goes_on_to_the_end()


def test_a_session_is_amended_so_often_and_not_without_end() -> None:
    clerk = given(STANDARD).started()
    for number in range(MOST):
        assert clerk.happens(Amended({"name": f"Ada {number}"}, "customer")).last.refused is None
    refused = clerk.happens(Amended({"name": "Bella"}, "customer")).last.refused
    assert refused is not None and refused.code == "not_allowed_now"
    assert "open a new one" in (refused.detail or "")
    assert clerk.happens(Amended({"name": f"Ada {MOST - 1}"}, "customer")).last.refused is None  # it is so already


# --- what may be in it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": " "}, "invalid_request"),
        ({"name": "x" * 201}, "invalid_request"),
        ({"email": "no address"}, "invalid_request"),
        ({"metadata": {"a": {"b": {"c": {"d": {}}}}}}, "invalid_request"),
        ({"shipping_address": {"a": "x" * 9000}}, "invalid_request"),
        ({"total": 1}, "invalid_request"),
        ({"customer": "ada"}, "invalid_request"),
        ({"name": "4242 4242 4242 4242"}, "card_number_refused"),
        ({"email": "4242424242424242@example.org"}, "card_number_refused"),
        ({"shipping_address": {"id": "4242424242424242"}}, "card_number_refused"),
        ({"metadata": {"note": "4242-4242-4242-4242"}}, "card_number_refused"),
    ],
)
def test_S12_what_may_not_be_in_it_is_told_and_nothing_is_kept(
    harness: HttpHarness, body: dict[str, Any], code: str
) -> None:
    session = harness.opened()
    refused = patch(harness, session, body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert harness.session(session["id"])["version"] == session["version"]


def test_many_small_patches_do_not_get_past_the_size(harness: HttpHarness) -> None:
    session = harness.opened(metadata={"a": "x" * 5000})
    refused = patch(harness, session, {"metadata": {"b": "x" * 5000}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["param"] == "$.metadata"


# --- the services --------------------------------------------------------------------------------------------------


def asked_before(clerk: SagaHarness) -> Command:
    command = clerk.question()
    document = {**command.document, "clerk": {**command.document["clerk"], "version": clerk.saga.version}}
    clerk.happens(Amended({"shipping_address": HOME}, "customer"))
    return Command(**{**{name: getattr(command, name) for name in command.__slots__}, "document": document})


def test_a_service_that_answers_with_what_it_was_told_before_overwrites_nothing() -> None:
    clerk = given(STANDARD).started()
    clerk.replies("shopping", "done", to=asked_before(clerk), section={"status": "placed"})
    assert clerk.saga.document["customer"]["shipping_address"] == HOME
    assert "foreign_edit" not in [entry.what for entry in clerk.history]


def test_D1_a_service_that_was_told_and_says_something_else_is_recorded() -> None:
    clerk = given(STANDARD).started()
    clerk.happens(Amended({"shipping_address": HOME}, "customer")).done("shopping", status="placed")
    command = clerk.question()
    edited = {**command.document, "customer": {"id": "mallory"}, "credit": {"status": "reserved"}}
    clerk.replies("credit", "done", document=edited)
    assert [entry.what for entry in clerk.last.entries][:1] == ["foreign_edit"]
    assert clerk.saga.document["customer"] == {"id": "ada", "shipping_address": HOME}

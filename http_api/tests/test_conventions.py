"""What all routes have in common: pages and cursors, versions, waiting, idempotency keys."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from http_api.conventions import (
    NEVER,
    check_if_match,
    check_if_none_match,
    decode_cursor,
    digest_of,
    encode_cursor,
    etag,
    page,
    unless_changed,
    version_seen,
)
from http_api.problems import Problem
from http_api.tests.access_keys import add_key
from http_api.tests.harness import HttpHarness


def test_a_page_says_whether_there_is_more() -> None:
    assert page([1, 2, 3], 2, "abc") == {"data": [1, 2], "has_more": True, "next_cursor": "abc"}
    assert page([], 2, None) == {"data": [], "has_more": False, "next_cursor": None}


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_cursor_leads_back_to_its_place(moment: int, name: str) -> None:
    assert decode_cursor(encode_cursor([moment, name]), (int, str)) == (moment, name)


def made(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "broken",
    ["", "x", "é", "a" * 1001, "====", made({}), made([1]), made([1, "a", 2]), made(["a", 1]), made([True, "a"]),
     made([2**63, "a"]), made([1, "\0"]), made([1, "\ud800"]), made([1, "a\udfff"]), made([1, None]),
     made([1, "a"]) + "!", "W" * 4000],
)  # fmt: skip
def test_a_broken_cursor_is_422(broken: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(broken, (int, str))
    assert (refused.value.code, refused.value.param) == ("invalid_request", "cursor")


@given(st.text())
def test_no_text_breaks_the_cursor_reader(text: str) -> None:
    with suppress(Problem):
        assert len(decode_cursor(text, (int, str))) == 2


@pytest.mark.parametrize("match", ['"7"', 'W/"7"', 'w/"7"', "*", '"6", "7"', ' "7" ', '"7",', '"a, b","7"'])
def test_the_present_version_passes(harness: HttpHarness, match: str) -> None:
    assert harness.call("GET", "/versions/7", headers={"If-Match": match}).status_code == 200
    assert etag(7) == '"7"'


def test_another_version_is_412_and_the_answer_names_the_present_one(harness: HttpHarness) -> None:
    answer = harness.call("GET", "/versions/7", headers={"If-Match": '"6"'})
    assert (answer.status_code, answer.json()["code"], answer.headers["etag"]) == (412, "version_conflict", '"7"')


AS_PROXIES_MAKE_IT = ['W/"7"', 'w/"7"', '"7-gzip"', 'W/"7-gzip"', '"7--gzip"', '"7;gzip"', '"7-br"', '"7-zstd"']


@pytest.mark.parametrize("tag", AS_PROXIES_MAKE_IT)
def test_a_tag_that_a_proxy_has_changed_means_the_version_that_it_was(harness: HttpHarness, tag: str) -> None:
    assert harness.call("GET", "/versions/7", headers={"If-Match": tag}).status_code == 200
    assert harness.call("GET", "/versions/7", headers={"If-None-Match": f'"6", {tag}'}).json()["known"] is True
    assert version_seen(asked_with(tag)) == 7
    check_if_match(asked_with(tag.replace("7", digest_of("x"))), digest_of("x"))


@pytest.mark.parametrize("tag", ['"8-gzip"', '"7-other"', '"7-gzip-gzip"', '"-gzip"'])
def test_a_tag_of_something_else_means_no_version_of_ours(harness: HttpHarness, tag: str) -> None:
    assert harness.call("GET", "/versions/7", headers={"If-Match": tag}).status_code == 412
    assert harness.call("GET", "/versions/7", headers={"If-None-Match": tag}).json()["known"] is False


def asked_with(match: str, header: bytes = b"if-match") -> Request:
    return Request({"type": "http", "headers": [(header, match.encode())]})


def test_the_problem_shows_the_resource_as_it_is_now() -> None:
    with pytest.raises(Problem) as refused:
        check_if_match(asked_with('"a"'), "b", current={"total": 1})
    assert refused.value.body("req_1")["current"] == {"total": 1}
    assert "current" not in Problem("version_conflict").body("req_1")


def test_a_request_sent_again_passes_with_the_version_that_it_has_changed() -> None:
    check_if_match(asked_with('"a"'), "b", "a")


def test_a_digest_is_of_the_content_not_of_its_writing() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
    check_if_match(asked_with(etag(digest_of("x"))), digest_of("x"))


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("match", ["7", '"7', '""', '"7" "8"', "W/7", "", " ", ",", '*, "7"', '"7", 8'])
def test_a_header_that_names_no_version_is_422(harness: HttpHarness, match: str, header: str) -> None:
    answer = harness.call("GET", "/versions/7", headers={header: match})
    assert (answer.status_code, answer.json()["param"]) == (422, header)


def test_a_long_header_is_read_in_no_time(harness: HttpHarness) -> None:
    for match in ("," * 60_000, '"' * 60_001, '"a",' * 15_000 + "x", " " * 60_000, '"' + "-" * 60_000):
        assert harness.call("GET", "/versions/7", headers={"If-Match": match}).status_code == 422


@pytest.mark.parametrize("match", ['"99999999999999999999"', '"0"', '"007"', '"-7"', '"a"', '"' + "a" * 65 + '"'])
def test_a_version_that_nothing_ever_had_is_another_one(harness: HttpHarness, match: str) -> None:
    assert harness.call("GET", "/versions/7", headers={"If-Match": match}).status_code == 412
    assert version_seen(asked_with(match)) == NEVER
    assert harness.call("GET", "/versions/7", headers={"If-None-Match": match}).json()["known"] is False


@pytest.mark.parametrize(("match", "says"), [("*", "`*` is not taken here"), (None, "Send the `ETag`")])
def test_where_a_version_is_needed_any_is_none(match: str | None, says: str) -> None:
    with pytest.raises(Problem) as refused:
        version_seen(asked_with(match) if match else Request({"type": "http", "headers": []}))
    assert refused.value.code == "version_required" and says in refused.value.body("req_1")["detail"]


def writes(match: str, **there: Any) -> str | None:
    """The code of what a call that writes is refused with, whose `If-None-Match` is this."""
    try:
        check_if_none_match(asked_with(match, b"if-none-match"), "a", **there)
    except Problem as refused:
        return refused.code
    return None


def test_if_none_match_keeps_a_call_from_writing_over_what_is_there() -> None:
    assert writes("*") == writes('"a"') == writes('"b", w/"a-gzip"') == "version_conflict"
    assert writes("*", exists=False) is writes('"b"') is None
    with pytest.raises(Problem) as refused:
        unless_changed(asked_with("*", b"if-none-match"), {"total": 1})
    assert (refused.value.param, refused.value.current) == ("If-None-Match", {"total": 1})
    unless_changed(asked_with("*", b"if-none-match"), None)


def test_nothing_has_no_version_that_could_be_named() -> None:
    for match in ("*", '"a"'):
        with pytest.raises(Problem) as refused:
            unless_changed(asked_with(match), None)
        assert (refused.value.code, refused.value.param) == ("version_conflict", "If-Match")


def test_without_if_match_any_version_passes(harness: HttpHarness) -> None:
    assert harness.call("GET", "/versions/7").status_code == 200


@pytest.mark.parametrize(
    ("given", "known"), [('"7"', True), ('W/"7"', True), ('"6","7"', True), ("*", True), ('"6"', False)]
)
def test_if_none_match_says_whether_the_client_knows_it(harness: HttpHarness, given: str, known: bool) -> None:
    assert harness.call("GET", "/versions/7", headers={"If-None-Match": given}).json()["known"] is known


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [("wait=20", 20), ("wait=0", 0), ("wait=60", 30), ("wait=999999999", 30), ("respond-async, wait=5", 5),
     ("Wait = 5; foo=bar", 5), ("wait=-1", 0), ("wait=1.5", 0), ("wait", 0), ("return=minimal", 0)],
)  # fmt: skip
def test_a_preferred_wait_is_taken_up_to_thirty_seconds(harness: HttpHarness, prefer: str, seconds: int) -> None:
    assert harness.call("GET", "/versions/7", headers={"Prefer": prefer}).json()["wait"] == seconds


def test_an_idempotency_key_has_1_to_255_printable_characters(harness: HttpHarness) -> None:
    server = add_key(harness.ring, "server", "backend")
    for good in ("a", "x" * 255, "order 7/ada"):
        answer = harness.call("POST", "/orders", server, json={}, headers={"Idempotency-Key": good})
        assert answer.json()["key"] == good
    for bad in (b"", b"x" * 256, "schlüssel".encode(), b"a\tb"):
        answer = harness.call("POST", "/orders", json={}, headers={"Idempotency-Key": bad})
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid"), bad
    assert harness.call("POST", "/orders", json={}).json()["key"] is None


@pytest.mark.parametrize("who", [None, "cs_secret"])
def test_S1_without_an_access_key_an_idempotency_key_must_be_unguessable(harness: HttpHarness, who: str | None) -> None:
    strong = "f81d4fae-7dec-4d0a-a765-00a0c91e6bf6"
    assert harness.call("POST", "/orders", who, json={}, headers={"Idempotency-Key": strong}).json()["key"] == strong
    for weak in ("a", "order 7/ada", "x" * 255):
        answer = harness.call("POST", "/orders", who, json={}, headers={"Idempotency-Key": weak})
        assert (answer.status_code, answer.json()["code"]) == (422, "weak_idempotency_key")

"""The shared shapes: pages and cursors, versions, waiting, idempotency keys."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doors.answers import decode_cursor, encode_cursor, etag, page
from doors.problems import Problem
from doors.tests.bench import Bench


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
     made([2**63, "a"]), made([1, "\0"]), made([1, None]), made([1, "a"]) + "!", "W" * 4000],
)  # fmt: skip
def test_a_broken_cursor_is_422(broken: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(broken, (int, str))
    assert (refused.value.code, refused.value.param) == ("invalid_request", "cursor")


@given(st.text())
def test_no_text_breaks_the_cursor_reader(text: str) -> None:
    with suppress(Problem):
        assert len(decode_cursor(text, (int, str))) == 2


@pytest.mark.parametrize("match", ['"7"', 'W/"7"', "*", '"6", "7"', ' "7" '])
def test_the_present_version_passes(bench: Bench, match: str) -> None:
    assert bench.call("GET", "/versions/7", headers={"If-Match": match}).status_code == 200
    assert etag(7) == '"7"'


def test_another_version_is_412_and_the_answer_names_the_present_one(bench: Bench) -> None:
    answer = bench.call("GET", "/versions/7", headers={"If-Match": '"6"'})
    assert (answer.status_code, answer.json()["code"], answer.headers["etag"]) == (412, "version_conflict", '"7"')


@pytest.mark.parametrize("match", ["7", '"7', '""', '"7" "8"', "W/7"])
def test_a_malformed_if_match_is_422(bench: Bench, match: str) -> None:
    answer = bench.call("GET", "/versions/7", headers={"If-Match": match})
    assert (answer.status_code, answer.json()["param"]) == (422, "If-Match")


def test_a_missing_if_match_matters_only_where_it_is_required(bench: Bench) -> None:
    assert bench.call("GET", "/versions/7").status_code == 200
    assert bench.call("GET", "/versions/7?must=true").json()["code"] == "version_required"


@pytest.mark.parametrize(
    ("given", "known"), [('"7"', True), ('W/"7"', True), ('"6","7"', True), ("*", True), ('"6"', False), ("7", False)]
)
def test_if_none_match_says_whether_the_caller_knows_it(bench: Bench, given: str, known: bool) -> None:
    assert bench.call("GET", "/versions/7", headers={"If-None-Match": given}).json()["known"] is known


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [("wait=20", 20), ("wait=0", 0), ("wait=60", 30), ("wait=999999999", 30), ("respond-async, wait=5", 5),
     ("Wait = 5; foo=bar", 5), ("wait=-1", 0), ("wait=1.5", 0), ("wait", 0), ("return=minimal", 0)],
)  # fmt: skip
def test_a_preferred_wait_is_taken_up_to_thirty_seconds(bench: Bench, prefer: str, seconds: int) -> None:
    assert bench.call("GET", "/versions/7", headers={"Prefer": prefer}).json()["wait"] == seconds


def test_an_idempotency_key_has_1_to_255_printable_characters(bench: Bench) -> None:
    for good in ("a", "x" * 255, "order 7/ada"):
        answer = bench.call("POST", "/orders", json={}, headers={"Idempotency-Key": good})
        assert answer.json()["key"] == good
    for bad in (b"", b"x" * 256, "schlüssel".encode(), b"a\tb"):
        answer = bench.call("POST", "/orders", json={}, headers={"Idempotency-Key": bad})
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid"), bad
    assert bench.call("POST", "/orders", json={}).json()["key"] is None

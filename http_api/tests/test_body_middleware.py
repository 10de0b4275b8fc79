"""The body: its size on the stream, its time, its type, and what JSON we take (security S4)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_api import strict_json
from http_api.rate_limits import Limits
from http_api.tests.harness import HttpHarness, chunks, zipped
from messaging.database import Database

JSON = {"Content-Type": "application/json"}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_S4_a_body_of_exactly_64_kib_passes_and_one_byte_more_does_not(harness: HttpHarness) -> None:
    body = b'{"token":"' + b"a" * (65536 - 12) + b'"}'
    assert len(body) == 65536
    assert harness.call("POST", "/orders", content=body, headers=JSON).status_code == 201
    assert code(harness.call("POST", "/orders", content=body + b" ", headers=JSON)) == (413, "body_too_large")


def test_S4_the_body_is_counted_on_the_stream_without_a_content_length(harness: HttpHarness) -> None:
    parts = [b'{"token":"', *[b"a" * 8192] * 9, b'"}']
    assert code(harness.call("POST", "/orders", content=chunks(*parts), headers=JSON)) == (413, "body_too_large")
    assert harness.seen == []


def test_S4_a_body_that_comes_too_slowly_is_refused(database: Database) -> None:
    harness = HttpHarness(database, Limits(body_seconds=0.05))

    async def stalled() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    assert code(harness.call("POST", "/orders", content=stalled(), headers=JSON)) == (408, "request_timeout")


def test_a_body_of_another_type_is_415_and_one_without_a_type_is_json(harness: HttpHarness) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"):
        answer = harness.call("POST", "/orders", content=b"{}", headers={"Content-Type": kind})
        assert code(answer) == (415, "unsupported_media_type")
    assert harness.call("POST", "/orders", content=b"{}").status_code == 201
    assert harness.call("POST", "/orders", content=b"{}", headers={"Content-Type": "Application/JSON; charset=utf-8"})


def test_a_compressed_body_is_not_unpacked(harness: HttpHarness) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = harness.call("POST", "/orders", content=zipped(b"{}"), headers=headers)
    assert code(answer) == (415, "unsupported_media_type")


def test_forms_are_taken_only_where_they_belong(harness: HttpHarness) -> None:
    assert harness.call("POST", "/people/login", data={"name": "ada"}).json() == {"body": "name=ada"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b"not json", "not JSON"),
        (b'{"a":1}{"a":1}', "not JSON"),
        (b'{"a":1,"a":2}', "same key twice"),
        (b'{"metadata":{"x":[{"a":1,"\\u0061":2}]}}', "same key twice"),
        (b'{"metadata":{"a":NaN}}', "NaN"),
        (b'{"metadata":{"a":-Infinity}}', "NaN"),
        (b'{"metadata":{"a":1e999}}', "too large"),
        (b'{"metadata":{"a":' + b"9" * 5000 + b"}}", "64 bits"),
        (b'{"metadata":{"a":9223372036854775808}}', "64 bits"),
        (b"[" * 51 + b"]" * 51, "deeper than 50"),
        (b"[" * 30000, "deeper than 50"),
        (b'{"a":' * 10000, "deeper than 50"),
        (b'{"token":"\xff"}', "not UTF-8"),
        (b'{"token":"a\\u0000b"}', "NUL"),
        (b'{"metadata":{"\\ud800":1}}', "surrogate"),
        (b"\xef\xbb\xbf{}", "not JSON"),
    ],
)
def test_json_that_we_do_not_take_says_why(harness: HttpHarness, body: bytes, says: str) -> None:
    answer = harness.call("POST", "/orders", content=body, headers=JSON)
    assert code(answer) == (422, "invalid_json")
    assert says in answer.json()["detail"]
    assert harness.seen == []


def test_brackets_within_texts_are_not_depth(harness: HttpHarness) -> None:
    assert harness.call("POST", "/orders", json={"token": '[{"\\' * 200}).status_code == 201


def test_fifty_levels_are_not_too_deep() -> None:
    assert strict_json.read(b"[" * 50 + b"]" * 50)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner
    ),
)  # fmt: skip


@given(json_values)
def test_everything_that_json_can_say_is_read_as_it_was_meant(value: Any) -> None:
    assert strict_json.read(json.dumps(value).encode()) == value
    assert strict_json.read(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(raw: bytes) -> None:
    with suppress(strict_json.StrictJsonError):
        assert strict_json.read(raw) == json.loads(raw)

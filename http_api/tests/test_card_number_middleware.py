"""A card number is refused wherever it comes in, and nobody sees it again (security S12)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog

from http_api.tests.harness import HttpHarness, chunks

CARD = "4242424242424242"
WRITTEN = [CARD, "4242 4242 4242 4242", "4242-4242-4242-4242", "４２４２４２４２４２４２４２４２"]


def is_refused(harness: HttpHarness, method: str, path: str, **more: Any) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = harness.call(method, path, **more)
    assert (answer.status_code, answer.json()["code"]) == (422, "card_number_refused"), answer.text
    told = answer.text + str(dict(answer.headers)) + str(logs)
    assert not any(written in told for written in [*WRITTEN, "4242%"])
    assert harness.seen == []


@pytest.mark.parametrize("written", WRITTEN)
def test_S12_a_card_number_in_a_body_is_refused_at_any_depth(harness: HttpHarness, written: str) -> None:
    is_refused(harness, "POST", "/orders", json={"token": written})
    is_refused(harness, "POST", "/orders", json={"metadata": {"deep": [{"er": f"it is {written}!"}]}})
    is_refused(harness, "POST", "/orders", json={"metadata": {written: 1}})
    is_refused(harness, "POST", "/orders", json={written: "unknown field"})


def test_S12_a_card_number_as_a_number_is_refused(harness: HttpHarness) -> None:
    is_refused(harness, "POST", "/orders", json={"metadata": {"a": int(CARD)}})
    headers = {"Content-Type": "application/json"}
    is_refused(harness, "POST", "/orders", content=f'{{"metadata":{{"a":{CARD}.0}}}}', headers=headers)
    is_refused(harness, "POST", "/orders", content=f'{{"metadata":{{"a":-{CARD}}}}}', headers=headers)
    is_refused(harness, "POST", "/orders", content='{"metadata":{"a":4.242424242424242e15}}', headers=headers)


def test_S12_a_card_number_behind_json_escapes_is_refused(harness: HttpHarness) -> None:
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in CARD)
    is_refused(harness, "POST", "/orders", content=f'{{"token":"{escaped}"}}')
    is_refused(harness, "POST", "/orders", content=r'{"token":"4242\t4242\t4242\t4242"}')
    is_refused(harness, "POST", "/orders", content=r'{"token":"4242\/4242\/4242\/4242"}')


def test_S12_a_card_number_in_broken_json_or_sent_in_chunks_is_refused(harness: HttpHarness) -> None:
    is_refused(harness, "POST", "/orders", content=f'{{"token":"{CARD}"')
    is_refused(harness, "POST", "/orders", content=chunks(b'{"token":"42424242', b'42424242"}'))


def test_S12_a_card_number_in_a_form_is_refused(harness: HttpHarness) -> None:
    answer = harness.call("POST", "/people/login", data={"name": "4242 4242 4242 4242"})
    assert (answer.status_code, answer.text) == (422, "page: card_number_refused")
    assert harness.seen == []


@pytest.mark.parametrize("written", WRITTEN)
def test_S12_a_card_number_in_path_or_query_is_refused(harness: HttpHarness, written: str) -> None:
    is_refused(harness, "GET", f"/things/{written}")
    is_refused(harness, "GET", "/things/a", params={"limit": written})
    is_refused(harness, "GET", f"/nowhere/at/all/{written}")
    is_refused(harness, "GET", f"/health/{written}")


@pytest.mark.parametrize("header", ["Authorization", "Request-Id", "Idempotency-Key", "X-Anything"])
@pytest.mark.parametrize("written", WRITTEN)
def test_S12_a_card_number_in_a_header_is_refused(harness: HttpHarness, header: str, written: str) -> None:
    is_refused(harness, "GET", "/me", headers={header: f"Bearer {written}".encode()})


def test_S12_a_card_number_is_found_beside_a_header_in_another_encoding(harness: HttpHarness) -> None:
    is_refused(harness, "GET", "/me", headers={"X-One": b"caf\xe9", "X-Two": WRITTEN[3].encode()})


def test_S12_control_characters_do_not_hide_a_card_number(harness: HttpHarness) -> None:
    is_refused(harness, "POST", "/orders", content='{"token":"4242\\u001f4242\\u00014242\\u001f4242"}')
    is_refused(harness, "GET", "/things/4242%1f4242%1f4242%1f4242")
    is_refused(harness, "GET", "/things/a?limit=4242%1f4242%1f4242%1f4242")


@pytest.mark.parametrize(
    "header",
    ["Cookie", "traceparent", "tracestate", "b3", "X-B3-TraceId", "baggage", "X-Request-Id", "X-Amzn-Trace-Id"],
)
def test_S12_cookies_and_traces_pass_and_are_neither_logged_nor_told(harness: HttpHarness, header: str) -> None:
    with structlog.testing.capture_logs() as logs:
        taken = harness.call("POST", "/orders", json={}, headers={header: f"_fbp={CARD}"})
        broken = harness.call("GET", "/breaks/bug", headers={header: f"_fbp={CARD}"})
    assert (taken.status_code, broken.status_code) == (201, 500)
    told = [taken.text, broken.text, str(taken.headers), str(broken.headers), str(logs)]
    assert not any(CARD in each for each in told)


@pytest.mark.parametrize(
    "trace",
    [f"00-4bf92f3577b34da6a3ce929d0e0e4736-{CARD}-01", f"00-{CARD}4242424242424242-00f067aa0ba902b7-01"],
)
def test_S12_a_trace_that_holds_a_card_number_is_not_carried_on(harness: HttpHarness, trace: str) -> None:
    answer = harness.call("POST", "/orders", json={}, headers={"traceparent": trace})
    assert (answer.status_code, answer.json()["trace"]) == (201, None)


def test_a_trace_is_carried_on_and_a_request_id_echoed(harness: HttpHarness) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = harness.call("POST", "/orders", json={}, headers={"traceparent": trace, "Request-Id": "4500000000000000"})
    assert (answer.json()["trace"], answer.headers["Request-Id"]) == (trace, "4500000000000000")


def test_S12_a_request_id_with_a_card_number_inside_is_replaced(harness: HttpHarness) -> None:
    answer = harness.call("POST", "/orders", json={}, headers={"Request-Id": f"{CARD}123"})
    assert answer.status_code == 201
    assert answer.headers["Request-Id"].startswith("req_")


def test_what_only_resembles_a_card_number_passes(harness: HttpHarness) -> None:
    harmless = {
        "uuid": "550e8400-e29b-41d4-a716-446655440000",
        "at": 1764000000123,
        "share": 0.4242424242424242,
        "phone": "+49 151 23456789",
        "reference": "ORD-2025-11-0000123",
    }
    answer = harness.call("POST", "/orders", json={"metadata": harmless})
    assert answer.status_code == 201
    assert json.loads(harness.seen[0].model_dump_json())["metadata"] == harmless

"""A card number is refused wherever it comes in, and nobody sees it again (security S12)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog

from doors.tests.bench import Bench, chunks

CARD = "4242424242424242"
WRITTEN = [CARD, "4242 4242 4242 4242", "4242-4242-4242-4242", "４２４２４２４２４２４２４２４２"]


def is_refused(bench: Bench, method: str, path: str, **more: Any) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = bench.call(method, path, **more)
    assert (answer.status_code, answer.json()["code"]) == (422, "card_number_refused"), answer.text
    told = answer.text + str(dict(answer.headers)) + str(logs)
    assert not any(written in told for written in [*WRITTEN, "4242%"])
    assert bench.seen == []


@pytest.mark.parametrize("written", WRITTEN)
def test_a_card_number_in_a_body_is_refused_at_any_depth(bench: Bench, written: str) -> None:
    is_refused(bench, "POST", "/orders", json={"token": written})
    is_refused(bench, "POST", "/orders", json={"metadata": {"deep": [{"er": f"it is {written}!"}]}})
    is_refused(bench, "POST", "/orders", json={"metadata": {written: 1}})
    is_refused(bench, "POST", "/orders", json={written: "unknown field"})


def test_a_card_number_as_a_number_is_refused(bench: Bench) -> None:
    is_refused(bench, "POST", "/orders", json={"metadata": {"a": int(CARD)}})
    headers = {"Content-Type": "application/json"}
    is_refused(bench, "POST", "/orders", content=f'{{"metadata":{{"a":{CARD}.0}}}}', headers=headers)
    is_refused(bench, "POST", "/orders", content=f'{{"metadata":{{"a":-{CARD}}}}}', headers=headers)


def test_a_card_number_behind_json_escapes_is_refused(bench: Bench) -> None:
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in CARD)
    is_refused(bench, "POST", "/orders", content=f'{{"token":"{escaped}"}}')
    is_refused(bench, "POST", "/orders", content=r'{"token":"4242\t4242\t4242\t4242"}')
    is_refused(bench, "POST", "/orders", content=r'{"token":"4242\/4242\/4242\/4242"}')


def test_a_card_number_in_broken_json_or_sent_in_chunks_is_refused(bench: Bench) -> None:
    is_refused(bench, "POST", "/orders", content=f'{{"token":"{CARD}"')
    is_refused(bench, "POST", "/orders", content=chunks(b'{"token":"42424242', b'42424242"}'))


def test_a_card_number_in_a_form_is_refused(bench: Bench) -> None:
    answer = bench.call("POST", "/people/login", data={"name": "4242 4242 4242 4242"})
    assert (answer.status_code, answer.text) == (422, "page: card_number_refused")
    assert bench.seen == []


@pytest.mark.parametrize("written", WRITTEN)
def test_a_card_number_in_path_or_query_is_refused(bench: Bench, written: str) -> None:
    is_refused(bench, "GET", f"/things/{written}")
    is_refused(bench, "GET", "/things/a", params={"limit": written})
    is_refused(bench, "GET", f"/nowhere/at/all/{written}")
    is_refused(bench, "GET", f"/health/{written}")


@pytest.mark.parametrize("header", ["Authorization", "Request-Id", "Idempotency-Key", "Cookie", "X-Anything"])
@pytest.mark.parametrize("written", WRITTEN)
def test_a_card_number_in_any_header_is_refused(bench: Bench, header: str, written: str) -> None:
    is_refused(bench, "GET", "/me", headers={header: f"Bearer {written}".encode()})


def test_a_span_id_that_is_a_card_number_is_not_carried_on(bench: Bench) -> None:
    trace = f"00-4bf92f3577b34da6a3ce929d0e0e4736-{CARD}-01"
    answer = bench.call("POST", "/orders", json={}, headers={"traceparent": trace})
    assert (answer.status_code, answer.json()["trace"]) == (201, None)


def test_what_only_resembles_a_card_number_passes(bench: Bench) -> None:
    harmless = {
        "uuid": "550e8400-e29b-41d4-a716-446655440000",
        "at": 1764000000123,
        "share": 0.4242424242424242,
        "phone": "+49 151 23456789",
        "reference": "ORD-2025-11-0000123",
    }
    answer = bench.call("POST", "/orders", json={"metadata": harmless})
    assert answer.status_code == 201
    assert json.loads(bench.seen[0].model_dump_json())["metadata"] == harmless

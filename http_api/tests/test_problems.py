"""Errors: one form for all of them, every wrong field named, no secret shown, and never a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog

from http_api.docs_offline import docs_router
from http_api.problems import CODES, Problem, as_page
from http_api.tests.harness import HttpHarness

ROOT = Path(__file__).parents[2]


def test_the_page_of_errors_is_current() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == as_page()


def test_errors_are_pages_where_people_come_with_a_browser(harness: HttpHarness) -> None:
    assert harness.call("GET", "/people/nobody").text == "page: not_found"
    assert harness.call("PUT", "/people/login").text == "page: method_not_allowed"
    assert harness.call("POST", "/people/login", content=b"{").text == "page: invalid_json", "the middleware's too"
    for path in ("/peoples", "/nobody"):
        assert harness.call("GET", path).json()["code"] == "not_found"


def test_the_list_of_codes_is_closed() -> None:
    with pytest.raises(KeyError):
        Problem("made_up_on_the_spot")


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_it_means_and_fits_its_status(code: str) -> None:
    known = CODES[code]
    assert 400 <= known.status < 600 and known.title and known.meaning.endswith(".")
    body = Problem(code).body("r 1")
    assert list(body) == [
        "type", "title", "status", "detail", "instance", "code", "param", "retryable", "session_id", "request_id",
    ]  # fmt: skip
    assert (body["type"], body["instance"]) == (f"/docs/errors#{code}", "urn:clerk:request:r%201")


@pytest.mark.parametrize("code", [code for code, known in CODES.items() if known.status in (429, 503)])
def test_trouble_that_passes_says_when_to_come_again(code: str) -> None:
    assert int(Problem(code).headers["Retry-After"]) >= 1
    assert Problem(code, retry_after=0).headers["Retry-After"] == "1"


@pytest.mark.parametrize("code", [code for code, known in CODES.items() if not known.retryable])
def test_nobody_is_told_to_come_again_in_vain(code: str) -> None:
    assert "Retry-After" not in Problem(code).headers
    with pytest.raises(ValueError, match="not retryable"):
        Problem(code, retry_after=1)


def test_a_problem_is_answered_as_rfc_9457_says(harness: HttpHarness) -> None:
    answer = harness.call("GET", "/problem", headers={"Request-Id": "mine"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/docs/errors#session_ended",
        "title": "The session has ended",
        "status": 409,
        "detail": "it is over",
        "instance": "urn:clerk:request:mine",
        "code": "session_ended",
        "param": None,
        "retryable": False,
        "session_id": "clk_1",
        "request_id": "mine",
    }


def test_an_address_that_is_nothing_is_404_and_a_wrong_method_405(harness: HttpHarness) -> None:
    assert harness.call("GET", "/nowhere").json()["code"] == "not_found"
    assert harness.call("GET", "/things/a%00b").json()["code"] == "not_found"
    answer = harness.call("GET", "/things/a?limit=1&any=a%00b")
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "invalid_request", "any")
    answer = harness.call("DELETE", "/orders")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (
        405,
        "method_not_allowed",
        "OPTIONS, POST",
    )


def errors(harness: HttpHarness, body: Any) -> dict[str, str]:
    answer = harness.call("POST", "/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    return {wrong["param"]: wrong["detail"] for wrong in answer.json()["errors"]}


def test_S3_every_wrong_field_is_named_by_its_path(harness: HttpHarness) -> None:
    items = [{"sku": "A", "quantity": 0}, {"sku": "", "quantity": 1}, {"sku": " ", "quantity": 1000}, {"sku": "B"}]
    found = errors(harness, {"items": items, "status": "completed", "odd name": 1})
    assert set(found) == {
        "$.items[0].quantity",
        "$.items[1].sku",
        "$.items[2].sku",
        "$.items[2].quantity",
        "$.items[3].quantity",
        "$.status",
        '$["odd name"]',
    }
    assert found["$.status"] == "unknown field: leave it out, or correct its name"
    assert found["$.items[0].quantity"] == "at least 1 is allowed (is 0)"
    assert found["$.items[3].quantity"] == "required, but missing"


@pytest.mark.parametrize("quantity", ["2", "2.0", True, 2.5, 1e-2, None, [], {}])
def test_S3_nothing_is_converted_into_a_number(harness: HttpHarness, quantity: Any) -> None:
    assert list(errors(harness, {"items": [{"sku": "A", "quantity": quantity}]})) == ["$.items[0].quantity"]


@pytest.mark.parametrize("quantity", ["2", "2.0", "2e0", "20E-1"])
def test_S3_a_whole_number_may_be_written_in_every_way_of_json(harness: HttpHarness, quantity: str) -> None:
    body = f'{{"items": [{{"sku": "A", "quantity": {quantity}}}], "metadata": {{"carried": 2.0}}}}'
    answer = harness.call("POST", "/orders", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    (seen,) = harness.seen
    assert [type(seen.items[0].quantity), seen.items[0].quantity] == [int, 2]
    assert isinstance(seen.metadata["carried"], float), "what is only carried along is left as it came"


@pytest.mark.parametrize(
    ("body", "param", "detail"),
    [
        ({"items": {}}, "$.items", "a JSON list is needed (is an object)"),
        ({"items": [{"sku": "A", "quantity": "2"}]}, "$.items[0].quantity", "a whole number, not in quotes, is needed"),
        ({"items": [{"sku": "A", "quantity": 2.5}]}, "$.items[0].quantity", "is needed (is 2.5)"),
        ({"items": [{"sku": "A", "quantity": 1000}]}, "$.items[0].quantity", "at most 999 is allowed (is 1000)"),
        ({"items": [{"sku": 5, "quantity": 1}]}, "$.items[0].sku", "a text in quotes is needed (is 5)"),
        ({"metadata": []}, "$.metadata", "a JSON object is needed (is a list)"),
    ],
)
def test_a_wrong_field_is_told_with_what_came_and_what_is_allowed(
    harness: HttpHarness, body: Any, param: str, detail: str
) -> None:
    assert detail in errors(harness, body)[param]


def test_a_missing_body_and_one_that_is_no_object_are_named(harness: HttpHarness) -> None:
    answer = harness.call("POST", "/orders")
    assert answer.json()["errors"] == [{"param": "$", "detail": "a JSON object is needed as the body"}]
    assert errors(harness, [1]) == {"$": "a JSON object is needed (is a list)"}
    assert errors(harness, "text") == {"$": "a JSON object is needed (is 'text')"}


def test_a_wrong_query_parameter_is_named(harness: HttpHarness) -> None:
    answer = harness.call("GET", "/things/a", params={"limit": "500"})
    assert answer.json()["param"] == "limit"


@pytest.mark.parametrize("thing", ["%20", "a%20b", "x" * 129, "%C3%A9"])
def test_a_blank_or_odd_id_in_a_path_is_refused(harness: HttpHarness, thing: str) -> None:
    answer = harness.call("GET", f"/things/{thing}")
    assert (answer.status_code, answer.json()["param"]) == (422, "thing")


def test_a_value_that_may_be_secret_is_not_shown(harness: HttpHarness) -> None:
    for body in ({"token": {"planted": "planted_secret"}}, {"metadata": "planted_secret=/+"}, {"planted": "planted_x"}):
        assert "planted_" not in harness.call("POST", "/orders", json=body).text
    assert "31337" not in harness.call("POST", "/orders", json={"token": 31337}).text
    assert "31337" in harness.call("POST", "/orders", json={"items": 31337}).text


@pytest.mark.parametrize("how", ["away", "torn", "queued"])
def test_a_database_that_is_away_or_busy_is_503_and_never_500(harness: HttpHarness, how: str) -> None:
    answer = harness.call("GET", f"/breaks/{how}")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("how", ["wrong", "bug", "no such way"])
def test_S7_breakage_is_a_plain_500_with_the_request_id_and_a_line_in_the_log(harness: HttpHarness, how: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = harness.call("GET", f"/breaks/{how}", headers={"Request-Id": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["request-id"] == answer.json()["request_id"] == "mine"
    assert "planted" not in answer.text and "Traceback" not in answer.text and "harness.py" not in answer.text
    assert [line["event"] for line in logs] == ["request broke"]
    assert "harness.py" in str(logs[0]["places"])
    assert "planted_sql" not in str(logs) and "planted_value" not in str(logs)


def test_the_page_of_errors_is_where_type_leads(harness: HttpHarness) -> None:
    page = harness.call("GET", "/docs/errors").text
    assert all(f'id="{code}"' in page for code in CODES)
    assert list(docs_router("<b>").declared())

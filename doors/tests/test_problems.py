"""Errors: one form for all of them, every wrong field named, no secret shown, and never a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog

from doors.docs_offline import docs_router
from doors.problems import CODES, Problem, as_page
from doors.tests.bench import Bench

ROOT = Path(__file__).parents[2]


def test_the_page_of_errors_is_current() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == as_page()


def test_errors_are_pages_where_people_come_with_a_browser(bench: Bench) -> None:
    assert bench.call("GET", "/people/nobody").text == "page: not_found"
    assert bench.call("PUT", "/people/login").text == "page: method_not_allowed"
    assert bench.call("POST", "/people/login", content=b"{").text == "page: invalid_json", "guards have pages too"
    for path in ("/peoples", "/nobody"):
        assert bench.call("GET", path).json()["code"] == "not_found"


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


def test_a_problem_is_answered_as_rfc_9457_says(bench: Bench) -> None:
    answer = bench.call("GET", "/problem", headers={"Request-Id": "mine"})
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


def test_an_address_that_is_nothing_is_404_and_a_wrong_method_405(bench: Bench) -> None:
    assert bench.call("GET", "/nowhere").json()["code"] == "not_found"
    assert bench.call("GET", "/things/a%00b").json()["code"] == "not_found"
    assert bench.call("GET", "/things/a?any=a%00b").json()["code"] == "invalid_request"
    answer = bench.call("DELETE", "/orders")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method_not_allowed", "POST")


def errors(bench: Bench, body: Any) -> dict[str, str]:
    answer = bench.call("POST", "/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    return {wrong["param"]: wrong["detail"] for wrong in answer.json()["errors"]}


def test_every_wrong_field_is_named_by_its_path(bench: Bench) -> None:
    items = [{"sku": "A", "quantity": 0}, {"sku": "", "quantity": 1}, {"sku": " ", "quantity": 1000}, {"sku": "B"}]
    found = errors(bench, {"items": items, "status": "completed", "odd name": 1})
    assert set(found) == {
        "$.items[0].quantity",
        "$.items[1].sku",
        "$.items[2].sku",
        "$.items[2].quantity",
        "$.items[3].quantity",
        "$.status",
        '$["odd name"]',
    }
    assert found["$.status"] == "unknown field"
    assert found["$.items[0].quantity"] == "input should be greater than or equal to 1 (is 0)"
    assert found["$.items[3].quantity"] == "required, but missing"


@pytest.mark.parametrize("quantity", ["2", True, 2.0, 2.5, None, [], {}])
def test_nothing_is_converted_into_a_number(bench: Bench, quantity: Any) -> None:
    assert list(errors(bench, {"items": [{"sku": "A", "quantity": quantity}]})) == ["$.items[0].quantity"]


def test_a_missing_body_and_one_that_is_no_object_are_named(bench: Bench) -> None:
    answer = bench.call("POST", "/orders")
    assert answer.json()["errors"] == [{"param": "$", "detail": "a JSON body is required"}]
    assert list(errors(bench, [1])) == ["$"]


def test_a_wrong_query_parameter_is_named(bench: Bench) -> None:
    answer = bench.call("GET", "/things/a", params={"limit": "500"})
    assert answer.json()["param"] == "limit"


@pytest.mark.parametrize("thing", ["%20", "a%20b", "x" * 129, "%C3%A9"])
def test_a_blank_or_odd_id_in_a_path_is_refused(bench: Bench, thing: str) -> None:
    answer = bench.call("GET", f"/things/{thing}")
    assert (answer.status_code, answer.json()["param"]) == (422, "thing")


def test_a_value_that_may_be_secret_is_not_shown(bench: Bench) -> None:
    for body in ({"token": {"planted": "planted_secret"}}, {"metadata": "planted_secret=/+"}, {"planted": "planted_x"}):
        assert "planted_" not in bench.call("POST", "/orders", json=body).text
    assert "31337" not in bench.call("POST", "/orders", json={"token": 31337}).text
    assert "31337" in bench.call("POST", "/orders", json={"items": 31337}).text


@pytest.mark.parametrize("how", ["away", "torn", "queued"])
def test_a_database_that_is_away_or_busy_is_503_and_never_500(bench: Bench, how: str) -> None:
    answer = bench.call("GET", f"/breaks/{how}")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("how", ["wrong", "bug", "no such way"])
def test_breakage_is_a_plain_500_with_the_request_id_and_a_line_in_the_log(bench: Bench, how: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = bench.call("GET", f"/breaks/{how}", headers={"Request-Id": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["request-id"] == answer.json()["request_id"] == "mine"
    assert "planted" not in answer.text and "Traceback" not in answer.text and "bench.py" not in answer.text
    assert [line["event"] for line in logs] == ["request broke"]
    assert "bench.py" in str(logs[0]["places"])
    assert "planted_sql" not in str(logs) and "planted_value" not in str(logs)


def test_the_page_of_errors_is_where_type_leads(bench: Bench) -> None:
    page = bench.call("GET", "/docs/errors").text
    assert all(f'id="{code}"' in page for code in CODES)
    assert docs_router("<b>").routes

"""Runbooks: for a service or a cause, a link to what to do and who is responsible; shown with what is stuck."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.tests.conftest import harness
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import stuck_one

__all__ = ["harness"]
DAY, NIGHT = "op_day", "op_night"
OF_PAYMENT = {"service": "payment", "link": "https://wiki.example/pay?a=1", "responsible": "the payments team"}
PARTS = ("process", "step", "kind", "code")


def save(harness: HttpHarness, key: str = DAY, **asked: Any) -> Any:
    return harness.call("POST", "/ops/runbooks", key, json={"reason": "asked by a test", **asked})


def cause_of(harness: HttpHarness) -> dict[str, Any]:
    [cause] = harness.get("/ops/summary", NIGHT).json()["stuck"]["causes"]
    found: dict[str, Any] = cause
    return found


def test_a_cause_has_its_own_and_what_is_not_set_it_has_from_its_service(harness: HttpHarness) -> None:
    stuck_one(harness)
    cause = cause_of(harness)
    assert (cause["runbook"], cause["responsible"]) == (None, None)
    assert save(harness, **OF_PAYMENT).status_code == 200
    cause = cause_of(harness)
    assert (cause["runbook"], cause["responsible"]) == (OF_PAYMENT["link"], "the payments team")
    about = {name: cause[name] for name in PARTS}
    assert save(harness, **about, link="https://wiki.example/capture").status_code == 200
    cause = cause_of(harness)
    assert (cause["runbook"], cause["responsible"]) == ("https://wiki.example/capture", "the payments team")
    listed = harness.get("/ops/runbooks", NIGHT).json()["data"]
    assert [(each["service"], each["step"], each["who"]) for each in listed] == [
        ("payment", None, "day"), (None, "capture", "day")
    ]  # fmt: skip


def test_what_is_saved_replaces_what_was_there_and_nothing_takes_it_away(harness: HttpHarness) -> None:
    save(harness, **OF_PAYMENT)
    save(harness, service="payment", responsible="Nora")
    [one] = harness.get("/ops/runbooks", NIGHT).json()["data"]
    assert (one["link"], one["responsible"]) == (None, "Nora")
    save(harness, service="payment")
    assert harness.get("/ops/runbooks", NIGHT).json()["data"] == []
    lines = harness.get("/ops/audit?action=runbook", NIGHT).json()["data"]
    assert [(line["before"], line["after"]) for line in reversed(lines)] == [
        (None, {"link": OF_PAYMENT["link"], "responsible": "the payments team"}),
        ({"link": OF_PAYMENT["link"], "responsible": "the payments team"}, {"link": None, "responsible": "Nora"}),
        ({"link": None, "responsible": "Nora"}, {"link": None, "responsible": None}),
    ]
    assert {line["target"] for line in lines} == {"runbook:payment"}


@pytest.mark.parametrize(
    "asked",
    [
        {"link": "https://wiki.example"},
        {"service": "nobody", "link": "https://wiki.example"},
        {"service": "risk", "process": "standard/1", "step": "credit", "kind": "no_answer", "code": "no_answer"},
        {"process": "standard/1", "step": "credit", "kind": "no_answer"},
        {"service": "risk", "link": "javascript:alert(1)"},
        {"service": "risk", "link": "//wiki.example"},
        {"service": "risk", "link": "https://nora:secret@wiki.example"},
        {"service": "risk", "link": "https://wiki.example/\u202egnp"},
        {"service": "risk", "responsible": "x" * 201},
        {"service": "risk", "responsible": " "},
        {"service": "risk", "reason": ""},
    ],
)
def test_what_cannot_be_is_refused(harness: HttpHarness, asked: dict[str, Any]) -> None:
    assert save(harness, **asked).status_code == 422
    assert harness.get("/ops/runbooks", NIGHT).json()["data"] == []


def test_a_viewer_may_look_and_the_attempt_is_written_down(harness: HttpHarness) -> None:
    assert save(harness, NIGHT, **OF_PAYMENT).status_code == 403
    [line] = harness.get("/ops/audit?action=runbook", NIGHT).json()["data"]
    assert (line["who"], line["outcome"]) == ("night", "forbidden")
    page = BrowserClient(harness).logged_in("viewer")
    assert page.get("/dashboard/runbooks?service=payment").status_code == 200
    assert '<form class="stack"' not in page.page.text


def test_an_operator_sets_it_from_the_home_page_and_the_cause_shows_it(harness: HttpHarness) -> None:
    stuck_one(harness)
    about = {name: cause_of(harness)[name] for name in PARTS}
    browser = BrowserClient(harness).logged_in("operator")
    assert "set a runbook" in browser.text("/dashboard")
    assert "For no answer at capture" in browser.text(
        "/dashboard/runbooks?process=standard%2F1&step=capture&kind=no_answer&code=" + about["code"]
    )
    wrong = browser.post("/dashboard/runbooks", **about, link="ftp://x", responsible="Nora", reason="new")
    assert wrong.status_code == 422 and 'value="Nora"' in wrong.text
    saved = browser.post(
        "/dashboard/runbooks", **about, link="https://wiki.example/c", responsible="Nora", reason="new"
    )
    assert saved.status_code == 303
    for path in ("/dashboard", "/dashboard/clerks?stuck=yes"):
        shown = browser.get(path).text
        assert '<a href="https://wiki.example/c">Runbook</a>' in shown and "Responsible: <bdi>Nora</bdi>" in shown
    assert "https://wiki.example/c" in browser.text("/dashboard/runbooks")

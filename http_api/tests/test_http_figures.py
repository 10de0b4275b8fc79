"""Requests as figures: each answer is counted once, under names that no caller can add to."""

from __future__ import annotations

import random
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from http_api.http_figures import NO_ROUTE, OTHER_METHOD
from http_api.tests.harness import HttpHarness

ODD = [
    "",
    "a",
    "..",
    "%00",
    "%2e%2e",
    "é",
    "things",
    "clk_1",
    "?x=1",
    "%ff",
    "4111111111111111",
    "metrics",
    ";",
    "orders",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "X" * 40]
Counted = dict[tuple[str, str, str], float]


def counted(harness: HttpHarness) -> Counted:
    """Answers so far by (route, method, status)."""
    return {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for metric in harness.registry.collect()
        for sample in metric.samples
        if sample.name == "clerk_http_request_seconds_count"
    }


def unanswered(harness: HttpHarness) -> float | None:
    return harness.registry.get_sample_value("clerk_http_requests_unanswered")


def test_each_answer_is_counted_under_the_template_of_its_route(harness: HttpHarness) -> None:
    for path in ("/things/1", "/things/2", "/things/clk_abc"):
        harness.call("GET", path)
    harness.call("HEAD", "/things/3")
    harness.call("POST", "/orders", json={"no": "such field"})
    harness.call("DELETE", "/orders")
    harness.call("GET", "/nothing/here")
    assert counted(harness) == {
        ("/things/{thing}", "GET", "2xx"): 3,
        ("/things/{thing}", "HEAD", "2xx"): 1,
        ("/orders", "POST", "4xx"): 1,
        ("/orders", "DELETE", "4xx"): 1,
        (NO_ROUTE, "GET", "4xx"): 1,
    }
    assert unanswered(harness) == 0


def test_a_request_that_breaks_is_a_5xx_of_its_route(harness: HttpHarness) -> None:
    harness.call("GET", "/breaks/bug")
    assert counted(harness) == {("/breaks/{how}", "GET", "5xx"): 1}


def test_whatever_comes_in_the_label_values_are_those_that_there_are(harness: HttpHarness) -> None:
    chance = random.Random(14)  # paths to try, no secret

    def request() -> tuple[str, str, None, dict[str, Any]]:
        path = "/" + "/".join(chance.choices(ODD, k=chance.randint(1, 4)))
        host, content = chance.choice(["a", "shop.test", "x" * 60]), chance.choice([b"", b"{}", b"\xff"])
        return chance.choice(METHODS), path, None, {"headers": {"Host": host}, "content": content}

    for _ in range(10):
        harness.calls([request() for _ in range(40)])
        harness.clock.now += 60  # the limits on callers let the next ones in
    routes = {str(each.path) for each in iter_route_contexts(harness.app.routes)} | {NO_ROUTE}
    methods = {*METHODS[:7], OTHER_METHOD}
    statuses = {"1xx", "2xx", "3xx", "4xx", "5xx"}
    found = counted(harness)
    assert sum(found.values()) == 400
    for route, method, status in found:
        assert route in routes and method in methods and status in statuses
    assert {method for _, method, _ in found} >= {"GET", OTHER_METHOD} and {route for route, *_ in found} > {NO_ROUTE}


@pytest.mark.parametrize("method", ["GET", "BREW"])
def test_too_many_requests_are_counted_too(harness: HttpHarness, method: str) -> None:
    while harness.call(method, "/things/1").status_code != 429:
        pass
    known = "GET" if method == "GET" else OTHER_METHOD
    assert counted(harness)[NO_ROUTE, known, "4xx"] == 1

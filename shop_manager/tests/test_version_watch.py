"""Versions that come, and services that do not answer for a while, are told once, whoever looks."""

from __future__ import annotations

from typing import Any

import httpx

from domain.messages import SHOP_MANAGER
from domain.times import minutes, seconds, to_wire
from domain.version import VERSION
from shop_manager.operations.service_question import Answered, VersionQuestion
from shop_manager.operations.version_watch import BACK_AFTER, OUT_AFTER, VersionWatch
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_activity import feed

URLS = {"payment": "http://payment.test"}
OLD, NEW = Answered(True, "1.0"), Answered(True, "1.1")
AWAY = Answered(False, trouble="cannot be reached: ConnectError")


def watch(harness: HttpHarness) -> VersionWatch:
    return VersionWatch(harness.database, harness.manager.processes, URLS)


def tell(harness: HttpHarness, looks: VersionWatch, answered: Answered, after: int = seconds(15)) -> None:
    harness.now += after
    looks.tell({"payment": answered})


def lines(harness: HttpHarness, **asked: Any) -> list[tuple[str, str, str]]:
    return [(each["kind"], each["what"], each["detail"]) for each in feed(harness, **asked)][::-1]


def test_what_is_at_work_is_told_when_it_is_first_seen_with_when_it_was_seen_last(harness: HttpHarness) -> None:
    looks = watch(harness)
    tell(harness, looks, OLD)
    first = harness.now
    tell(harness, looks, OLD)
    assert lines(harness, service=SHOP_MANAGER) == [("deploy", "version", VERSION)]
    processes = [each["process"] for each in feed(harness, kind="deploy") if each["what"] == "process"]
    assert sorted(processes) == sorted(harness.manager.processes.by_reference)
    [line] = feed(harness, service="payment")
    assert (line["at"], line["last_seen_at"]) == (to_wire(first), to_wire(harness.now))


def test_a_new_version_is_told_and_an_old_one_that_comes_back_but_not_two_that_take_turns(harness: HttpHarness) -> None:
    looks = watch(harness)
    for answered in (OLD, NEW, OLD, NEW):
        tell(harness, looks, answered)
    told = [("deploy", "version", "1.0"), ("deploy", "version", "1.1")]
    assert lines(harness, service="payment") == told
    tell(harness, looks, NEW, BACK_AFTER + 1)
    tell(harness, looks, OLD)
    assert lines(harness, service="payment") == [*told, ("deploy", "version", "1.0")]


def test_an_outage_is_told_once_it_has_lasted_and_once_it_is_over(harness: HttpHarness) -> None:
    looks, other = watch(harness), watch(harness)
    tell(harness, looks, OLD)
    seen = harness.now
    tell(harness, looks, AWAY)
    tell(harness, looks, OLD)
    assert lines(harness, kind="outage") == []
    seen = harness.now
    for _ in range(3):
        for each in (looks, other):
            tell(harness, each, AWAY, OUT_AFTER // 2)
    assert lines(harness, kind="outage") == [("outage", "began", AWAY.trouble)]
    for each in (other, looks):
        tell(harness, each, OLD)
    ended, began = feed(harness, kind="outage")
    assert (began["at"], began["service"]) == (to_wire(seen), "payment")
    assert (ended["what"], ended["began_at"]) == ("ended", to_wire(seen))


def test_a_shop_manager_that_was_not_there_tells_of_no_outage_of_others(harness: HttpHarness) -> None:
    tell(harness, watch(harness), OLD)
    again = watch(harness)
    tell(harness, again, AWAY, minutes(60))
    assert lines(harness, kind="outage") == []
    tell(harness, again, OLD)
    assert lines(harness, kind="outage") == []


def test_a_service_that_never_answered_has_no_outage(harness: HttpHarness) -> None:
    looks = watch(harness)
    for _ in range(5):
        tell(harness, looks, AWAY)
    assert lines(harness, kind="outage") == []


def test_a_service_tells_its_version_with_its_readiness_and_one_of_before_is_read_seldom() -> None:
    asked: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        host, path = request.url.host, request.url.path
        asked.append(f"{host}{path}")
        if host == "away":
            raise httpx.ConnectError("refused")
        if path == "/health/ready":
            told = {"version": "2.1"} if host == "new" else {}
            return httpx.Response(503 if host == "unwell" else 200, json={"status": "ready", **told})
        return httpx.Response(200, json={"old": {"info": {"version": "2.0"}}, "odd": [1]}[host])

    urls = {name: f"http://{name}/" for name in ("new", "old", "odd", "unwell", "away")}
    question = VersionQuestion(httpx.MockTransport(answers))
    for _ in range(2):
        assert question.ask(urls) == {
            "new": Answered(True, "2.1"),
            "old": Answered(True, "2.0"),
            "odd": Answered(True, "unknown"),
            "unwell": Answered(False, trouble="not ready: it answers 503"),
            "away": Answered(False, trouble="cannot be reached: ConnectError"),
        }
    assert sorted(each for each in asked if each.endswith("openapi.json")) == ["odd/openapi.json", "old/openapi.json"]


def test_one_of_before_that_was_not_ready_is_read_anew() -> None:
    at_work: dict[str, Any] = {"status": 200, "version": "1.0"}

    def answers(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health/ready":
            return httpx.Response(at_work["status"], json={"status": "ready"})
        return httpx.Response(200, json={"info": {"version": at_work["version"]}})

    question = VersionQuestion(httpx.MockTransport(answers))

    def seen(**now: Any) -> str | None:
        at_work.update(now)
        return question.ask(URLS)["payment"].version

    assert [seen(), seen(version="1.1"), seen(status=503), seen(status=200)] == ["1.0", "1.0", None, "1.1"]

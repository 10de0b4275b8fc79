"""The home page: is anything stuck, in one line with the time; two clicks to the cause; how each service is."""

from __future__ import annotations

import re
from threading import Event

import httpx
import pytest

from messaging.health_check import HealthCheck
from messaging.parked import ParkedMessage, park
from shop_manager.dashboard.health import KEPT, SERVICES, ServiceHealthReader
from shop_manager.dashboard.sparkline import polyline
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.dashboard.tests.test_clerks_page import stuck_at_capture
from shop_manager.engine import tables
from shop_manager.operations.tallies import count_lately
from shop_manager.tests.http_harness import HttpHarness

HOME = "/dashboard"
URLS = {name: f"http://{name}.test" for name in SERVICES[1:]}


def test_is_anything_stuck_is_answered_in_one_line_with_the_time(harness: HttpHarness, viewer: BrowserClient) -> None:
    assert "No, nothing is stuck. No message is parked. Checked at 08:00:00 UTC." in viewer.text(HOME)
    stuck_at_capture(harness)
    text = viewer.text(HOME)
    assert re.search(
        r"Yes: 1 order is stuck; €25.90 at risk; the oldest since 2027-01-15 08:01:0\d UTC. "
        r"No message is parked. Checked at 08:01:01 UTC.",
        text,
    ), text


def test_parked_messages_are_told_beside(harness: HttpHarness, viewer: BrowserClient) -> None:
    with harness.database.begin() as tx:
        park(tx, tables.technical.parked, [ParkedMessage("risk", "q", "bad", None, b"{")], tx.now())
    assert "1 message is parked" in viewer.text(HOME)
    assert 'href="/dashboard/parked"' in viewer.page.text


def test_it_is_two_clicks_from_home_to_a_clerk_that_is_stuck(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = stuck_at_capture(harness)
    [cause] = re.findall(r'href="(/dashboard/clerks\?[^"]*kind=no_answer[^"]*)"', viewer.get(HOME).text)
    assert f'href="/dashboard/clerks/{clerk}"' in viewer.get(cause.replace("&amp;", "&")).text


def test_the_counts_lead_to_their_lists(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.opened()
    text = viewer.get(HOME).text
    assert re.search(r'href="/dashboard/clerks\?status=open"><b>1</b>', text)


def test_a_service_in_this_process_shows_its_checks(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.app_at(HOME).state.checks = {
        "shop_manager": lambda: {
            "database": HealthCheck(True, "sqlite"),
            "last_tick": HealthCheck(False, "no tick lately", 12.0),
        }
    }
    text = viewer.text(HOME)
    assert "shop manager last tick: no tick lately" in text and "database sqlite" in text
    assert "risk its address is not known (CLERK_RISK_URL)" in text


def test_a_service_elsewhere_is_asked_by_http() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/health/ready"
        match request.url.host:
            case "shop.test":
                return httpx.Response(200, json={"status": "ready"})
            case "risk.test":
                broker = {"ok": False, "detail": "not connected"}
                return httpx.Response(503, json={"status": "not_ready", "checks": {"broker": broker}})
            case "payment.test":
                return httpx.Response(502, text="<html>")
        raise httpx.ConnectError("refused")

    found = ServiceHealthReader(URLS, transport=httpx.MockTransport(respond)).read({})
    assert [(each.service, each.ok, each.summary) for each in found] == [
        ("shop_manager", None, "its address is not known (CLERK_SHOP_MANAGER_URL)"),
        ("shop", True, "ready"),
        ("risk", False, "broker: not connected"),
        ("payment", False, "cannot be reached: JSONDecodeError"),
        ("fulfillment", False, "cannot be reached: ConnectError"),
    ]


def test_no_page_waits_for_a_service_that_is_silent() -> None:
    hold = Event()

    def respond(request: httpx.Request) -> httpx.Response:
        hold.wait(20)
        return httpx.Response(200, json={"status": "ready"})

    found = ServiceHealthReader(URLS, transport=httpx.MockTransport(respond), within=0.05).read({})
    hold.set()
    assert {each.summary for each in found[1:]} == {"no answer within 0.05 s"}


def test_many_pages_at_once_ask_once() -> None:
    asked: list[str] = []
    now = 0.0

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={"status": "ready"})

    health = ServiceHealthReader(URLS, transport=httpx.MockTransport(respond), clock=lambda: now)
    for _ in range(5):
        health.read({})
    assert sorted(asked) == sorted(f"{name}.test" for name in SERVICES[1:])
    now = KEPT
    health.read({})
    assert len(asked) == 8


@pytest.mark.parametrize("content", [b"[]", b'{"checks": {"broker": 1}}', b'{"checks": 1}'])
def test_another_program_at_the_address_breaks_no_page(content: bytes) -> None:
    health = ServiceHealthReader(
        {"risk": "http://risk.test"}, transport=httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    )
    [risk] = [each for each in health.read({}) if each.service == "risk"]
    assert risk.ok is False


def test_opens_and_ends_are_drawn_with_their_table(harness: HttpHarness, viewer: BrowserClient) -> None:
    text = viewer.text(HOME)
    assert "No session was opened, and none has ended." in text and "sessions opened" not in text
    harness.brings_all()
    harness.goes_on_to_the_end()
    harness.opened()
    harness.now += 1
    count_lately(harness.database)
    text = viewer.text(HOME)
    assert "2 sessions opened 1 ended" in text and re.search(r"UTC 2 1 1 completed", text)
    assert viewer.page.text.count("<polyline") == 2


def test_a_line_goes_from_left_to_right_and_its_most_is_at_the_top() -> None:
    assert polyline([0, 5, 10], 10) == "4.0,86.0 480.0,45.0 956.0,4.0"
    assert polyline([0, 0], 0) == "4.0,86.0 956.0,86.0"
    assert polyline([7], 7) == "4.0,4.0"

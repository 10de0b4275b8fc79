"""The home page: is anything stuck, in one line with the time; two clicks to the cause; how each service is."""

from __future__ import annotations

import re
from threading import Event

import httpx
import pytest

from messaging.parked import ParkedMessage, park
from messaging.participant import Check
from shop_manager import store
from shop_manager.dashboard.health import KEPT, SERVICES, Health
from shop_manager.dashboard.home import digest
from shop_manager.dashboard.sparkline import line
from shop_manager.dashboard.tests.test_clerks import stuck_at_capture
from shop_manager.dashboard.tests.visitor import Visitor
from shop_manager.operations.tallies import count_lately
from shop_manager.tests.house import House

HOME = "/dashboard"
URLS = {name: f"http://{name}.test" for name in SERVICES[1:]}


def test_is_anything_stuck_is_answered_in_one_line_with_the_time(house: House, viewer: Visitor) -> None:
    assert "No, nothing is stuck. No message is parked. Checked at 08:00:00 UTC." in viewer.text(HOME)
    stuck_at_capture(house)
    told = viewer.text(HOME)
    assert re.search(
        r"Yes: 1 order is stuck, with €25.90 at risk; the oldest since 2027-01-15 08:01:0\d UTC. "
        r"No message is parked. Checked at 08:01:01 UTC.",
        told,
    ), told


def test_parked_messages_are_told_beside(house: House, viewer: Visitor) -> None:
    with house.database.begin() as tx:
        park(tx, store.schema.parked, [ParkedMessage("risk", "q", "bad", None, b"{")], tx.now())
    assert "1 message is parked" in viewer.text(HOME)
    assert 'href="/dashboard/parked"' in viewer.page.text


def test_it_is_two_clicks_from_home_to_a_clerk_that_is_stuck(house: House, viewer: Visitor) -> None:
    clerk = stuck_at_capture(house)
    [cause] = re.findall(r'href="(/dashboard/clerks\?[^"]*kind=no_answer[^"]*)"', viewer.get(HOME).text)
    assert f'href="/dashboard/clerks/{clerk}"' in viewer.get(cause.replace("&amp;", "&")).text


def test_the_counts_lead_to_their_lists(house: House, viewer: Visitor) -> None:
    house.opened()
    text = viewer.get(HOME).text
    assert re.search(r'href="/dashboard/clerks\?status=open"><b>1</b>', text)


def test_other_causes_or_counts_are_another_digest() -> None:
    cause = {"process": "a/1", "step": "s", "kind": "k", "code": "c", "count": 1, "oldest_seconds": 5}
    assert digest([cause]) == digest([{**cause, "oldest_seconds": 9}])
    assert digest([cause]) != digest([{**cause, "count": 2}]) != digest([])


def test_a_service_in_this_process_shows_its_checks(house: House, viewer: Visitor) -> None:
    house.app.state.checks = {
        "shop_manager": lambda: {"database": Check(True, "sqlite"), "last_tick": Check(False, "no tick lately", 12.0)}
    }
    told = viewer.text(HOME)
    assert "shop manager last tick: no tick lately" in told and "database sqlite" in told
    assert "risk its address is not known (CLERK_RISK_URL)" in told


def test_a_service_elsewhere_is_asked_at_its_door() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
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

    found = Health(URLS, transport=httpx.MockTransport(answer)).look({})
    assert [(each.service, each.ok, each.told) for each in found] == [
        ("shop_manager", None, "its address is not known (CLERK_SHOP_MANAGER_URL)"),
        ("shop", True, "ready"),
        ("risk", False, "broker: not connected"),
        ("payment", False, "cannot be reached: JSONDecodeError"),
        ("fulfillment", False, "cannot be reached: ConnectError"),
    ]


def test_no_page_waits_for_a_service_that_is_silent() -> None:
    hold = Event()

    def answer(request: httpx.Request) -> httpx.Response:
        hold.wait(20)
        return httpx.Response(200, json={"status": "ready"})

    found = Health(URLS, transport=httpx.MockTransport(answer), within=0.05).look({})
    hold.set()
    assert {each.told for each in found[1:]} == {"no answer within 0.05 s"}


def test_many_pages_at_once_ask_once() -> None:
    asked: list[str] = []
    now = 0.0

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={"status": "ready"})

    health = Health(URLS, transport=httpx.MockTransport(answer), clock=lambda: now)
    for _ in range(5):
        health.look({})
    assert sorted(asked) == sorted(f"{name}.test" for name in SERVICES[1:])
    now = KEPT
    health.look({})
    assert len(asked) == 8


@pytest.mark.parametrize("content", [b"[]", b'{"checks": {"broker": 1}}', b'{"checks": 1}'])
def test_a_door_that_says_something_else_breaks_no_page(content: bytes) -> None:
    health = Health(
        {"risk": "http://risk.test"}, transport=httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    )
    [risk] = [each for each in health.look({}) if each.service == "risk"]
    assert risk.ok is False


def test_opens_and_ends_are_drawn_with_their_table(house: House, viewer: Visitor) -> None:
    told = viewer.text(HOME)
    assert "No session was opened, and none has ended." in told and "sessions opened" not in told
    house.brings_all()
    house.goes_on_to_the_end()
    house.opened()
    house.now += 1
    count_lately(house.database)
    told = viewer.text(HOME)
    assert "2 sessions opened 1 ended" in told and re.search(r"UTC 2 1 1 completed", told)
    assert viewer.page.text.count("<polyline") == 2


def test_a_line_goes_from_left_to_right_and_its_most_is_at_the_top() -> None:
    assert line([0, 5, 10], 10) == "4.0,86.0 480.0,45.0 956.0,4.0"
    assert line([0, 0], 0) == "4.0,86.0 956.0,86.0"
    assert line([7], 7) == "4.0,4.0"

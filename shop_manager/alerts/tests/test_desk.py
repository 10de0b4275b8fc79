"""What operators see of alerts, under `/ops` and on the page, and what admins do: a test, and sending again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shop_manager.alerts import outbox
from shop_manager.alerts.delivery import Delivery
from shop_manager.alerts.figures import outcome_counter
from shop_manager.alerts.options import WebhookOptions
from shop_manager.alerts.tests.receivers import HttpReceiver, http_receiver
from shop_manager.alerts.webhook import Webhook
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.tests.http_harness import HttpHarness

BOSS, DAY, NIGHT = "op_boss", "op_day", "op_night"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def harness(tmp_path: Path, receiver: HttpReceiver) -> Iterator[HttpHarness]:
    harness = HttpHarness(tmp_path, alert_webhook=receiver.url)
    yield harness
    harness.notifier.close()
    harness.database.close()


def delivers(harness: HttpHarness, receiver: HttpReceiver) -> None:
    delivery = Delivery(harness.database, Webhook(WebhookOptions(receiver.url)), outcome_counter(["webhook"]))
    while delivery.deliver_one():
        pass


def read(harness: HttpHarness, path: str) -> list[dict[str, Any]]:
    answered = harness.get(f"/ops/alerts{path}", NIGHT)
    assert answered.status_code == 200, answered.text
    data: list[dict[str, Any]] = answered.json()["data"]
    return data


def audit(harness: HttpHarness) -> list[tuple[str, str, str]]:
    lines = harness.get("/ops/audit", NIGHT).json()["data"]
    return [(line["who"], line["action"], line["outcome"]) for line in lines]


def test_a_test_alert_arrives_and_what_became_of_it_is_told(harness: HttpHarness, receiver: HttpReceiver) -> None:
    sent = harness.call("POST", "/ops/alerts/test", BOSS)
    assert sent.status_code == 202, sent.text
    assert sent.json()["channels"] == ["webhook"]
    [line] = read(harness, f"?alert={sent.json()['id']}")
    assert (line["state"], line["what"], line["tries"]) == ("waiting", "test", 0)
    delivers(harness, receiver)
    [line] = read(harness, f"?alert={sent.json()['id']}")
    assert (line["state"], line["tries"], line["trouble"]) == ("delivered", 1, "")
    assert receiver.alerts[0]["id"] == sent.json()["id"]
    [channel] = read(harness, "/channels")
    assert (channel["waiting"], channel["delivered_at"]) == (0, line["done_at"])
    assert audit(harness)[0] == ("boss", "alert_test", "done")


def test_a_test_alert_is_tried_once_and_its_failure_is_told_at_once(
    harness: HttpHarness, receiver: HttpReceiver
) -> None:
    receiver.status = 404
    sent = harness.call("POST", "/ops/alerts/test", BOSS).json()
    delivers(harness, receiver)
    [line] = read(harness, f"?alert={sent['id']}")
    assert (line["state"], line["trouble"]) == ("given_up", "it answered 404")
    [channel] = read(harness, "/channels")
    assert (channel["given_up"], channel["trouble"], channel["failed_at"]) == (1, "it answered 404", line["failed_at"])
    assert "of-ours" not in channel["leads_to"]


def test_what_was_given_up_is_sent_again_once_and_nothing_else_is(harness: HttpHarness, receiver: HttpReceiver) -> None:
    receiver.status = 500
    sent = harness.call("POST", "/ops/alerts/test", BOSS).json()["id"]
    assert harness.call("POST", f"/ops/alerts/{sent}/again", BOSS).status_code == 409, "it still waits"
    delivers(harness, receiver)
    receiver.status = 200
    assert harness.call("POST", f"/ops/alerts/{sent}/again", BOSS).json() == {"id": sent, "channels": ["webhook"]}
    delivers(harness, receiver)
    assert read(harness, "")[0]["state"] == "delivered"
    assert [each["id"] for each in receiver.alerts] == [sent]
    assert harness.call("POST", f"/ops/alerts/{sent}/again", BOSS).status_code == 409
    assert harness.call("POST", "/ops/alerts/alt_unknown/again", BOSS).status_code == 404


@pytest.mark.parametrize("key", [DAY, NIGHT])
@pytest.mark.parametrize("path", ["test", "alt_1/again"])
def test_only_an_admin_sends_and_the_attempt_is_written_down(harness: HttpHarness, key: str, path: str) -> None:
    assert harness.call("POST", f"/ops/alerts/{path}", key).status_code == 403
    assert audit(harness)[0][2] == "forbidden"
    assert read(harness, "") == []


def test_without_a_channel_a_test_says_so(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path)
    answered = harness.call("POST", "/ops/alerts/test", BOSS)
    assert (answered.status_code, answered.json()["code"]) == (409, "not_allowed_now")
    assert read(harness, "") == read(harness, "/channels") == []
    page = BrowserClient(harness).logged_in("admin")
    assert "Nobody is told anything" in page.text("/dashboard/alerts")
    assert "Send a test alert" not in page.page.text
    harness.notifier.close()
    harness.database.close()


def test_pages_of_deliveries_go_on_where_the_one_before_stopped(harness: HttpHarness) -> None:
    with harness.database.begin() as tx:
        told = [(f"t{number}", {"id": f"alt_{number}", "what": "test", "episode": "", "link": None, "at": ""})
                for number in range(5)]  # fmt: skip
        outbox.write(tx, ["webhook"], told, tx.now())
    first = harness.get("/ops/alerts?limit=3", NIGHT).json()
    then = harness.get(f"/ops/alerts?limit=3&cursor={first['next_cursor']}", NIGHT).json()
    found = [each["id"] for each in first["data"] + then["data"]]
    assert found == [f"alt_{number}" for number in (4, 3, 2, 1, 0)]
    assert (first["has_more"], then["has_more"]) == (True, False)


def test_the_button_of_the_page_sends_and_the_page_tells_what_became_of_it(
    harness: HttpHarness, receiver: HttpReceiver
) -> None:
    browser = BrowserClient(harness).logged_in("admin")
    assert "Nothing was told yet" in browser.text("/dashboard/alerts")
    answered = browser.post("/dashboard/alerts/test")
    assert answered.status_code == 303
    assert "on its way" in browser.text(answered.headers["location"])
    receiver.status = 503
    delivers(harness, receiver)
    shown = browser.text(answered.headers["location"])
    assert "given up it answered 503" in shown and "test alert" in shown
    alert = receiver_id(harness)
    receiver.status = 200
    again = browser.post(f"/dashboard/alerts/{alert}/again")
    assert again.status_code == 303
    delivers(harness, receiver)
    assert "arrived" in browser.text(again.headers["location"])
    assert browser.post(f"/dashboard/alerts/{alert}/again").status_code == 409
    assert "Nothing of this alert was given up" in browser.page.text


def receiver_id(harness: HttpHarness) -> str:
    return str(read(harness, "")[0]["id"])


def test_a_viewer_sees_what_was_told_and_no_button(harness: HttpHarness, receiver: HttpReceiver) -> None:
    harness.call("POST", "/ops/alerts/test", BOSS)
    receiver.status = 503
    delivers(harness, receiver)
    browser = BrowserClient(harness).logged_in("viewer")
    assert "Admins may send a test alert" in browser.text("/dashboard/alerts")
    buttons = re.findall("<button[^>]*>", browser.page.text.partition("<main")[2].partition("</main")[0])
    assert buttons and all('class="copy"' in button for button in buttons)
    assert browser.post("/dashboard/alerts/test").status_code == 403


def test_open_pages_learn_what_became_of_the_alert(harness: HttpHarness, receiver: HttpReceiver) -> None:
    browser = BrowserClient(harness).logged_in("admin")
    location = browser.post("/dashboard/alerts/test").headers["location"]
    assert "of=alerts&amp;sent=alt_" in browser.get(location).text

"""Processes, figures, audit, checks and help: what they show of real data, and of none."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from domain.invariants import INVARIANTS
from messaging.parked import ParkedMessage, park
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.engine import tables
from shop_manager.operations import checks
from shop_manager.operations.tallies import count_lately
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import stuck_one


def test_processes_are_drawn_with_who_is_where_and_a_click_lists_them(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    stuck_one(harness)
    text = viewer.text("/dashboard/processes")
    assert "standard/1 for everybody" in text and "1 on the way" in text and "1 here 1 stuck" in text
    assert 'href="/dashboard/clerks?process=standard/1&amp;step=capture"' in viewer.page.text
    assert "nobody on the way" in text


def test_which_process_a_customer_would_get_is_told_with_the_rule(harness: HttpHarness, viewer: BrowserClient) -> None:
    page = "/dashboard/processes?shop=squeaky-toys&customer="
    assert "standard/1, by the rule “everybody”" in viewer.text(page)
    harness.call("PUT", "/shop/customers/tess", SERVER, json={"name": "T", "email": "t@shop.test", "type": "trusted"})
    assert "customer type: trusted" in viewer.text(page + "tess")
    assert "There is no such shop, or no such customer." in viewer.text(page + "nobody")


def test_figures_without_anything_say_so(viewer: BrowserClient) -> None:
    text = viewer.text("/dashboard/figures")
    assert "No session was opened and none has ended in this time." in text and "No order has ended" in text


def test_every_point_and_every_number_of_the_heat_map_leads_to_its_orders(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    order = stuck_one(harness)
    harness.now += 60_000
    count_lately(harness.database)
    text = viewer.text("/dashboard/figures?hours=1")
    assert "Where and when orders became stuck" in text
    page = unescape(viewer.page.text)
    points = set(re.findall(r'href="(/dashboard/clerks\?created_after=[^"]+)"', page))
    cells = set(re.findall(r'href="(/dashboard/activity\?kind=stuck&step=capture&since=[^"]+)" title="1 became', page))
    assert len(points) == len(cells) == 1
    for path in points | cells:
        assert f"/dashboard/clerks/{order}" in viewer.get(path).text, path
    later = viewer.get("/dashboard/clerks?created_after=2099-01-01T00:00:00Z")
    assert "opened after" in later.text and "/dashboard/clerks/clk_" not in later.text
    assert viewer.get("/dashboard/clerks?created_before=soon").status_code == 422


def test_step_times_say_how_exact_they_are_and_whose_turn_it_was(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.brings_all()
    while commands := harness.sent():
        harness.answers(commands[0])
        harness.manager.after_commit()
    harness.manager.step_figures.hours.flush(harness.database)
    text = viewer.text("/dashboard/figures?hours=1")
    assert "not a sample; times are right within 8 %" in text
    assert "Customer p50, p95 Service p50, p95 Warehouse p50, p95" in text


def test_figures_are_drawn_each_with_its_table(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.brings_all()
    harness.goes_on_to_the_end()
    harness.now += 60_000
    count_lately(harness.database)
    text = viewer.text("/dashboard/figures?hours=1")
    assert "1 opened, 1 ended" in text and "100 %" in text
    assert viewer.page.text.count("<polyline") == 2 and viewer.page.text.count("<table") == 3
    assert viewer.get("/dashboard/figures?hours=0").status_code == 422


def test_S9_the_audit_shows_what_was_refused_too_and_can_be_filtered(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    text = viewer.text("/dashboard/audit")
    assert "login" in text and "forbidden" not in text and "why not" not in text
    assert "None" not in viewer.page.text
    clerk = stuck_one(harness)
    operator = BrowserClient(harness).logged_in("operator", "nora")
    operator.get(f"/dashboard/clerks/{clerk}")
    form: dict[str, Any] = {"action": "retry", "reason": "why not", "version": operator.version()}
    statuses = [who.post(f"/dashboard/clerks/{clerk}/actions", **form).status_code for who in (viewer, operator)]
    assert statuses == [403, 303]
    text = viewer.text("/dashboard/audit")
    assert "forbidden" in text and "nora operator" in text and "why not" in text and "Before and after" in text
    assert "$.attempt" in text and "$.stuck" not in text, "to be asked again heals nothing"
    text = viewer.text("/dashboard/audit?who=nora")
    assert "forbidden" not in text and "why not" in text
    assert "No act fits these filters." in viewer.text("/dashboard/audit?who=nobody")


def test_checks_show_every_invariant_and_each_drift_with_its_repair(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    text = viewer.text("/dashboard/checks")
    assert "Nobody has checked yet." in text
    assert re.findall(r'<tr id="(I\d+)">', viewer.page.text) == list(INVARIANTS)
    drift = {"invariant": "I5", "clerk": "clk_1", "expected": "no credit", "found": "2590", "repair": "release it"}
    with harness.database.begin() as tx:
        checks.record(tx, started_at=harness.now, finished_at=harness.now, clerks=1234, drifts=[drift])
    text = viewer.text("/dashboard/checks")
    assert "No: 1 drift found over 1,234 Clerks" in text and "release it" in text and "broken, 1 drift" in text
    assert 'href="/dashboard/clerks/clk_1"' in viewer.page.text
    with harness.database.begin() as tx:
        checks.record(tx, started_at=harness.now, finished_at=harness.now, clerks=1234, drifts=[])
    assert "Yes, every invariant held" in viewer.text("/dashboard/checks")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("audit?whom=nora", "whom: there is no such filter: allowed are action, bulk, outcome, target, who."),
        ("audit?who=nora&who=nils", "who: it is in the address 2 times: once is allowed."),
        ("parked?reason=x", "reason: there is no such filter: allowed are service, state."),
        ("parked?service=risk&service=shop", "service: it is in the address 2 times: once is allowed."),
    ],
)
def test_a_filter_that_a_record_does_not_know_is_named_and_nothing_is_listed(
    harness: HttpHarness, viewer: BrowserClient, path: str, said: str
) -> None:
    with harness.database.begin() as tx:
        park(tx, tables.technical.parked, [ParkedMessage("risk", "q", "bad", None, b"{")], tx.now())
    page = viewer.get(f"/dashboard/{path}")
    assert page.status_code == 422 and said in visible_text_of(page.text)
    assert "<table" not in page.text and "Without it" in page.text
    assert "prk_" in viewer.get("/dashboard/parked").text

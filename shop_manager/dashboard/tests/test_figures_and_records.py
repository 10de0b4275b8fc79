"""Processes, figures, audit, checks and help: what they show of real data, and of none."""

from __future__ import annotations

import re
from typing import Any

from domain.invariants import INVARIANTS
from shop_manager import checks
from shop_manager.dashboard.tests.visitor import Visitor
from shop_manager.operations.tallies import count_lately
from shop_manager.tests.house import SERVER, House
from shop_manager.tests.test_ops import stuck_one


def test_processes_are_drawn_with_who_is_where_and_a_click_lists_them(house: House, viewer: Visitor) -> None:
    stuck_one(house)
    told = viewer.text("/dashboard/processes")
    assert "standard/1 for everybody" in told and "1 on the way" in told and "1 here 1 stuck" in told
    assert 'href="/dashboard/clerks?process=standard%2F1&amp;step=capture"' in viewer.page.text.replace("/1", "%2F1")
    assert "nobody on the way" in told


def test_which_process_a_customer_would_get_is_told_with_the_rule(house: House, viewer: Visitor) -> None:
    page = "/dashboard/processes?shop=squeaky-toys&customer="
    assert "standard/1 , by the rule “everybody”" in viewer.text(page).replace("standard/1,", "standard/1 ,")
    house.call("PUT", "/shop/customers/tess", SERVER, json={"name": "T", "email": "t@shop.test", "type": "trusted"})
    assert "customer type: trusted" in viewer.text(page + "tess")
    assert "There is no such shop, or no such customer." in viewer.text(page + "nobody")


def test_figures_without_anything_say_so(viewer: Visitor) -> None:
    told = viewer.text("/dashboard/figures")
    assert "No session was opened and none has ended in this time." in told and "No order has ended" in told


def test_figures_are_drawn_each_with_its_table(house: House, viewer: Visitor) -> None:
    house.brings_all()
    house.goes_on_to_the_end()
    house.now += 60_000
    count_lately(house.database)
    told = viewer.text("/dashboard/figures?hours=1")
    assert "1 opened, 1 ended" in told and "100 %" in told
    assert viewer.page.text.count("<polyline") == 2 and viewer.page.text.count("<table") == 4
    assert viewer.get("/dashboard/figures?hours=0").status_code == 422


def test_S9_the_audit_shows_what_was_refused_too_and_can_be_filtered(house: House, viewer: Visitor) -> None:
    assert "No operator has done anything yet." in viewer.text("/dashboard/audit")
    assert "None" not in viewer.page.text
    clerk = stuck_one(house)
    for who in (viewer, Visitor(house).logged_in("operator", "nora")):
        who.get(f"/dashboard/clerks/{clerk}")
        version = "17" if "17" in who.page.text else "1"
        seen = re.search(r'name="version" value="(\d+)"', who.page.text)
        form: dict[str, Any] = {"action": "retry", "reason": "why not", "version": seen.group(1) if seen else version}
        who.post(f"/dashboard/clerks/{clerk}/actions", **form)
    told = viewer.text("/dashboard/audit")
    assert "forbidden" in told and "nora operator" in told and "why not" in told and "Before and after" in told
    assert "$.attempt" in told and "$.stuck" in told
    told = viewer.text("/dashboard/audit?who=nora")
    assert "forbidden" not in told and "why not" in told
    assert "No act fits these filters." in viewer.text("/dashboard/audit?who=nobody")


def test_checks_show_every_invariant_and_each_drift_with_its_repair(house: House, viewer: Visitor) -> None:
    told = viewer.text("/dashboard/checks")
    assert "Nobody has checked yet." in told
    assert re.findall(r'<tr id="(I\d+)">', viewer.page.text) == list(INVARIANTS)
    drift = {"invariant": "I5", "clerk": "clk_1", "expected": "no credit", "found": "2590", "repair": "release it"}
    with house.database.begin() as tx:
        checks.record(tx, started_at=house.now, finished_at=house.now, clerks=1234, drifts=[drift])
    told = viewer.text("/dashboard/checks")
    assert "No: 1 drift found over 1,234 Clerks" in told and "release it" in told and "broken, 1 drift" in told
    assert 'href="/dashboard/clerks/clk_1"' in viewer.page.text
    with house.database.begin() as tx:
        checks.record(tx, started_at=house.now, finished_at=house.now, clerks=1234, drifts=[])
    assert "Yes, every invariant held" in viewer.text("/dashboard/checks")

"""Claims on the pages: taken, given back, put off, taken over, and seen on the list and on the home page."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager.dashboard.clerk_page import path_of
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read, stuck_one


def sends(browser: BrowserClient, clerk: str, action: str, **fields: Any) -> str:
    """Sends a form of the order's page; returns what is told then."""
    browser.get(path_of(clerk))
    response = browser.post(f"{path_of(clerk)}/claim", action=action, **fields)
    if response.status_code == 303:
        return browser.text(response.headers["location"])
    return visible_text_of(response.text)


def test_an_order_is_taken_put_off_and_given_back(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = stuck_one(harness)
    assert "Nobody has it yet." in operator.text(path_of(clerk)) and "I take it" in operator.page.text
    text = sends(operator, clerk, "claim")
    assert "It is yours; everybody sees so." in text and "operator-of-the-night has it" in text
    assert "Give it back" in text and "I take it" not in text
    text = sends(operator, clerk, "snooze", until="in 2 hours")
    assert "put off until 2027-01-15 10:01:01 UTC" in text and "counted as stuck all the same" in text
    home = operator.text("/dashboard")
    assert "1 order is stuck" in home and "1 of 1 claimed, 1 snoozed until 2027-01-15 10:01:01 UTC" in home
    listed = operator.text("/dashboard/clerks?stuck=yes")
    assert "operator-of-the-night has it, put off until 2027-01-15 10:01:01 UTC" in listed
    assert clerk in operator.text("/dashboard/clerks?mine=yes")
    assert "Nobody has it now." in sends(operator, clerk, "release")
    assert clerk not in operator.text("/dashboard/clerks?mine=yes")


def test_a_moment_that_is_none_is_told_and_what_was_typed_stays(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = stuck_one(harness)
    text = sends(operator, clerk, "snooze", until="after lunch")
    assert "Nothing was done." in text and "'after lunch' is no moment" in text
    assert 'value="after lunch"' in operator.page.text
    assert read(harness, f"clerks/{clerk}")["claim"] is None


def test_another_one_takes_it_over_with_a_reason(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    nora, nils = (BrowserClient(harness).logged_in("operator", name) for name in ("nora", "nils"))
    nils.get(path_of(clerk))
    sends(nora, clerk, "claim")
    late = nils.post(f"{path_of(clerk)}/claim", action="claim")
    text = visible_text_of(late.text)
    assert late.status_code == 409 and "nora has it since" in text and "Take it over" in text
    assert "You have taken it over." in sends(nils, clerk, "claim", instead_of="nora", reason="she sleeps")
    assert "nils has it" in nora.text(path_of(clerk))


@pytest.mark.parametrize("role", ["viewer", "support"])
def test_who_may_not_claim_sees_who_has_it_and_no_button(harness: HttpHarness, role: Any) -> None:
    clerk = stuck_one(harness)
    other = BrowserClient(harness).logged_in(role)
    page = other.get(path_of(clerk)).text
    assert "Nobody has it yet." in visible_text_of(page) and f"{clerk}/claim" not in page


def test_an_order_that_is_not_stuck_has_no_such_panel(harness: HttpHarness, operator: BrowserClient) -> None:
    clerk = harness.brings_all()["id"]
    assert "Who looks after it" not in operator.text(path_of(clerk))


def test_a_preview_names_who_has_which_of_its_orders(harness: HttpHarness, admin: BrowserClient) -> None:
    clerk = stuck_one(harness)
    nora = BrowserClient(harness).logged_in("operator", "nora")
    sends(nora, clerk, "claim")
    admin.get("/dashboard/bulk")
    typed = {"action": "retry", "reason": "payment is up", "stuck": "yes"}
    text = admin.text(admin.post("/dashboard/bulk", None, **typed).headers["location"])
    assert "1 of 1 claimed: 1 by nora. A claim is no lock: the act is done to them too." in text
    assert f"{clerk} nora has it" in text and "may be done" in text
    admin.get("/dashboard/bulk")
    text = admin.text(admin.post("/dashboard/bulk", None, **typed, leave_claimed="yes").headers["location"])
    assert "Ask again now: 0 of 1 order" in text and "left out: nora has it since" in text
    assert "Nothing can be started" in text

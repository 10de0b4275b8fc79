"""Viewers of a screen on a wall stay logged in while its page is open (security S8, decision 125)."""

from __future__ import annotations

import pytest

from domain.times import days, hours
from http_api.principals import Principal
from shop_manager.dashboard.cookies import LOGIN
from shop_manager.dashboard.tests.browser_client import BrowserClient, people
from shop_manager.operations.requests import PersonAct
from shop_manager.tests.http_harness import HttpHarness

ROOT = Principal("operator", "admin", "admin-of-the-night")


@pytest.fixture
def wall(harness: HttpHarness) -> BrowserClient:
    """The browser of a screen on a wall; its streams end at once, as at closing time."""
    browser = BrowserClient(harness)
    password, _ = people(harness).add_operator("wall", "viewer", long=True)
    entered = browser.logs_in("wall", password)
    [cookie] = [each for each in entered.headers.get_list("set-cookie") if each.startswith(LOGIN)]
    assert f"Max-Age={days(365) // 1000};" in cookie
    harness.notifier.close()
    return browser


def is_inside(browser: BrowserClient) -> bool:
    return browser.get("/dashboard").status_code == 200


def listens(browser: BrowserClient) -> bool:
    return browser.get("/dashboard/live", accept="text/event-stream").status_code == 200


def test_S8_an_open_page_of_a_wall_keeps_its_viewer_logged_in_for_a_year(
    harness: HttpHarness, wall: BrowserClient
) -> None:
    for _ in range(12):
        harness.now += days(30) - hours(1)
        BrowserClient(harness).logged_in("operator", "ada")  # clears away the logins that are over
        assert listens(wall)
    assert is_inside(wall)
    harness.now += days(8)
    assert not listens(wall) and not is_inside(wall)


def test_S8_a_wall_that_was_off_for_a_month_logs_in_again(harness: HttpHarness, wall: BrowserClient) -> None:
    harness.now += days(30)
    assert not listens(wall)


@pytest.mark.parametrize("act", [{"action": "role", "role": "operator"}, {"action": "disable"}, {"action": "renew"}])
def test_S8_another_role_a_renewal_or_disabling_ends_the_login_of_a_wall(
    harness: HttpHarness, wall: BrowserClient, admin: BrowserClient, act: dict[str, str]
) -> None:
    harness.operations.people.act(ROOT, "wall", PersonAct.model_validate({"reason": "the screen is gone", **act}))
    assert not listens(wall)


def test_S8_only_viewers_stay_and_the_page_of_people_says_who(
    harness: HttpHarness, wall: BrowserClient, admin: BrowserClient
) -> None:
    with pytest.raises(ValueError, match="only a viewer stays logged in"):
        people(harness).add_operator("nora", "operator", long=True)
    assert "wall viewer stays logged in" in admin.text("/dashboard/people")
    change = harness.operations.people.act
    change(ROOT, "wall", PersonAct(action="role", role="operator", reason="acts now"))
    change(ROOT, "wall", PersonAct(action="role", role="viewer", reason="and no more"))
    assert "stays logged in" not in admin.text("/dashboard/people")

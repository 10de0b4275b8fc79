"""The page that changes the own password; the first login leads there, and nowhere else (security S2, S8)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from http_api.keys import KeyRing
from http_api.problems import CODES
from shop_manager.dashboard.cookies import LOGIN as COOKIE
from shop_manager.dashboard.login_throttle import PAIR
from shop_manager.dashboard.tests.browser_client import BrowserClient, people, visible_text_of
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read
from shop_manager.tests.test_operations_people import added, post

PAGE, HOME = "/dashboard/password", "/dashboard"
OWN = "a lamp on a table"


class Nora:
    """An operator whose password is known to the test."""

    def __init__(self, harness: HttpHarness, *, must_change: bool = False) -> None:
        self.harness = harness
        self.password, self.key = people(harness).add_operator("nora", "operator", must_change=must_change)

    def at(self, password: str = "") -> BrowserClient:
        browser = BrowserClient(self.harness)
        assert browser.logs_in("nora", password or self.password).status_code == 303
        return browser


def change(browser: BrowserClient, old: str, new: str = OWN, again: str | None = None, **more: Any) -> httpx.Response:
    browser.get(PAGE)
    return browser.post(PAGE, old=old, new=new, again=new if again is None else again, **more)


@pytest.fixture
def nora(harness: HttpHarness) -> Nora:
    return Nora(harness)


def test_S2_a_new_password_counts_and_all_other_logins_of_the_person_end(nora: Nora, admin: BrowserClient) -> None:
    here, elsewhere = nora.at(), nora.at()
    before = here.cookies[COOKIE]
    response = change(here, nora.password)
    assert (response.status_code, response.headers["location"]) == (303, PAGE)
    assert "Your password is changed" in here.text(response.headers["location"])
    assert here.cookies[COOKIE] != before and here.get(HOME).status_code == 200
    assert elsewhere.get(HOME).status_code == 303, "logged out"
    assert admin.get(HOME).status_code == 200, "somebody else is not"
    old = BrowserClient(nora.harness)
    old.cookies.set(COOKIE, before, path=HOME, domain="shop.test")
    assert old.get(HOME).status_code == 303, "the token before opens nothing"
    assert BrowserClient(nora.harness).logs_in("nora", nora.password).status_code == 401
    assert nora.at(OWN).get(HOME).status_code == 200
    assert KeyRing(nora.harness.database).check(nora.key), "the key for scripts is no password"


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong-wrong-wrong", OWN, OWN, "The password until now is wrong."),
        ("", OWN, OWN, "The password until now is wrong."),
        (None, OWN, OWN + "!", "The two new passwords are not the same."),
        (None, "eleven-char", "eleven-char", "it has fewer than 12 characters"),
        (None, "nora-in-the-night", "nora-in-the-night", "it contains your name"),
        (None, "password12345", "password12345", "it is among the first that somebody would guess"),
        (None, None, None, "The new password is the one until now."),
    ],
)
def test_S2_a_change_that_may_not_be_changes_nothing(
    nora: Nora, old: str | None, new: str | None, again: str | None, said: str
) -> None:
    browser = nora.at()
    given = [nora.password if each is None else each for each in (old, new, again)]
    response = change(browser, *given)
    assert response.status_code == 422 and said in visible_text_of(response.text)
    assert not any(each in response.text for each in given if each)
    assert browser.get(HOME).status_code == 200 and nora.at().get(HOME).status_code == 200


def test_S2_guessing_the_old_password_is_slowed_down(nora: Nora) -> None:
    browser = nora.at()
    for _ in range(int(PAIR.burst)):
        assert change(browser, "wrong-wrong-wrong").status_code == 422
    assert change(browser, nora.password).status_code == 429


def test_S8_another_page_changes_no_password(nora: Nora) -> None:
    browser = nora.at()
    browser.get(PAGE)
    for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert browser.post(PAGE, headers, old=nora.password, new=OWN, again=OWN).status_code == 403
    assert browser.post(PAGE, csrf="0" * 64, old=nora.password, new=OWN, again=OWN).status_code == 409
    assert nora.at()


def test_S2_a_first_login_leads_to_the_page_and_opens_nothing_else(harness: HttpHarness) -> None:
    ring = harness.keys = KeyRing(harness.database, people=True)
    nora = Nora(harness, must_change=True)
    assert harness.get("/ops/summary", nora.key).json()["code"] == "password_change_required"
    browser = BrowserClient(harness)
    response = browser.logs_in("nora", nora.password, next="/dashboard/clerks")
    assert (response.status_code, response.headers["location"]) == (303, PAGE)
    for path in (HOME, "/dashboard/clerks", "/dashboard/people", "/dashboard/nothing"):
        assert browser.get(path).headers["location"] == PAGE
    assert browser.get("/dashboard/live", accept="text/event-stream").status_code == 401
    assert browser.get(HOME, hx_request="true").headers["hx-redirect"] == PAGE
    text = browser.text(PAGE)
    assert "Choose your own password" in text and "Clerks" not in text and "Log out" in text
    response = change(browser, nora.password)
    assert (response.status_code, response.headers["location"]) == (303, HOME)
    assert browser.get(HOME).status_code == 200
    assert ring.check(nora.key) and harness.get("/ops/summary", nora.key).status_code == 200, "at once"
    assert nora.at(OWN).get(HOME).status_code == 200, "and the next login leads nowhere else"


def test_S2_who_is_added_or_renewed_by_an_admin_has_to_change(harness: HttpHarness) -> None:
    ada = added(harness, "ada")
    assert BrowserClient(harness).logs_in("ada", ada["password"]).headers["location"] == PAGE
    renewed = post(harness, "people/ada/actions", action="renew").json()
    assert BrowserClient(harness).logs_in("ada", renewed["password"]).headers["location"] == PAGE


def test_S2_a_renewal_while_the_page_is_open_wins(nora: Nora) -> None:
    browser = nora.at()
    browser.get(PAGE)
    token = browser.token()
    renewed = post(nora.harness, "people/nora/actions", action="renew").json()
    response = browser.post(PAGE, csrf=token, old=nora.password, new=OWN, again=OWN)
    assert (response.status_code, response.headers["location"]) == (
        303,
        "/dashboard/login?next=/dashboard/password",
    ) or (response.headers["location"] == "/dashboard/login")
    assert people(nora.harness).check_password("nora", renewed["password"])


def test_S9_a_change_and_a_refused_one_are_in_the_audit(nora: Nora) -> None:
    browser = nora.at()
    change(browser, "wrong-wrong-wrong")
    change(browser, nora.password)
    lines = [
        (line["who"], line["role"], line["action"], line["target"], line["outcome"], line["detail"])
        for line in read(nora.harness, "audit?target=person:NORA")["data"]
    ]
    assert lines == [
        ("nora", "operator", "password", "person:nora", "done", "from 203.0.113.0/24"),
        ("nobody", "nobody", "password", "person:nora", "unauthorized", "wrong old password, from 203.0.113.0/24"),
        ("nora", "operator", "login", "person:nora", "done", "from 203.0.113.0/24"),
    ]
    assert "password_change_required" in CODES

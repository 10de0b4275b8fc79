"""Every write has the token of its cookie and comes from a page of ours (security S8), whatever the route."""

from __future__ import annotations

import pytest

from shop_manager.dashboard.cookies import VISIT
from shop_manager.dashboard.csrf import csrf_token
from shop_manager.dashboard.tests.browser_client import (
    LOGIN,
    BrowserClient,
    people,
    visible_text_of,
)

LOGOUT, SETTINGS = "/dashboard/logout", "/dashboard/settings"
FOREIGN = [
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://shop.test:8080"},
    {"Origin": "http://shop.test.evil.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_S8_a_form_of_another_page_is_refused(viewer: BrowserClient, headers: dict[str, str]) -> None:
    response = viewer.post(LOGOUT, headers)
    assert response.status_code == 403 and "not sent from this dashboard" in visible_text_of(response.text)
    assert viewer.get("/dashboard").status_code == 200, "and nothing was done"


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_S8_a_form_without_the_right_token_is_refused(viewer: BrowserClient, token: str) -> None:
    before = viewer.text(SETTINGS)
    assert viewer.post(SETTINGS, csrf=token, clock="utc").status_code == 409
    assert viewer.request("POST", SETTINGS, data={"csrf": token, "clock": "utc"}).status_code == 403
    assert viewer.text(SETTINGS) == before, "and nothing was done"


def test_S8_the_token_of_one_login_is_none_for_another(viewer: BrowserClient, operator: BrowserClient) -> None:
    assert viewer.token() and viewer.token() != operator.token()
    assert viewer.post(SETTINGS, csrf=operator.token(), clock="utc").status_code == 409
    assert 'value="local" checked' in viewer.get(SETTINGS).text


def test_S8_a_browser_that_does_not_say_the_origin_is_refused_and_a_script_with_the_token_is_not(
    viewer: BrowserClient,
) -> None:
    form = {"csrf": viewer.token()}
    assert viewer.post(LOGOUT, {"Origin": "", "Sec-Fetch-Site": "same-origin"}).status_code == 403
    assert viewer.request("POST", LOGOUT, data=form).status_code == 303


def test_S8_a_form_that_comes_without_the_cookie_drops_none(browser: BrowserClient) -> None:
    response = browser.post(LOGOUT, {"Origin": "https://evil.test"})
    assert response.status_code == 303 and "set-cookie" not in response.headers


def test_S8_a_proxy_that_takes_off_the_tls_does_not_hinder(viewer: BrowserClient) -> None:
    assert viewer.post(LOGOUT, {"Origin": "https://shop.test"}).status_code == 303


def test_S8_nobody_can_be_logged_in_by_another_page(browser: BrowserClient) -> None:
    password, _ = people(browser.harness).add_operator("ada", "viewer")
    browser.get(LOGIN)
    for headers in FOREIGN:
        assert browser.post(LOGIN, headers, name="ada", password=password).status_code == 403
    assert browser.post(LOGIN, csrf="0" * 64, name="ada", password=password).status_code == 401
    assert browser.get("/dashboard").status_code == 303


@pytest.mark.parametrize("cookie", [None, "", "a b", "x" * 201])
def test_S8_without_a_cookie_of_ours_no_token_logs_in(browser: BrowserClient, cookie: str | None) -> None:
    """Anybody can reckon the token of an empty secret, and would log a visitor in as somebody else."""
    password, _ = people(browser.harness).add_operator("ada", "viewer")
    if cookie is not None:
        browser.cookies.set(VISIT, cookie, path="/dashboard", domain="shop.test")
    for secret in ("", cookie or ""):
        response = browser.post(LOGIN, csrf=csrf_token(secret), name="ada", password=password)
        assert response.status_code == 401 and "too old" in visible_text_of(response.text)
        assert "clerk_login" not in str(response.headers.get_list("set-cookie"))


def test_a_form_that_cannot_be_read_is_refused_in_words(viewer: BrowserClient) -> None:
    for body in (b"csrf=%FF", b"a=1&" * 1001, b"a=%00"):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        response = viewer.request("POST", LOGOUT, content=body, headers=kind)
        assert response.status_code == 422 and "The form" in visible_text_of(response.text)

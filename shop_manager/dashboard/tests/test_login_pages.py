"""Logging in and out (security S2, S8): what the cookie is, when a login ends, who is slowed down."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from domain.times import hours, minutes
from http_api.principals import Principal
from http_api.request import Origin, origin
from shop_manager.dashboard.cookies import LOGIN as COOKIE
from shop_manager.dashboard.login_throttle import PAIR, LoginThrottle
from shop_manager.dashboard.logins import LoginLifetime
from shop_manager.dashboard.return_paths import safe_return_path
from shop_manager.dashboard.tests.browser_client import (
    LOGIN,
    BrowserClient,
    people,
    visible_text_of,
)
from shop_manager.engine import tables
from shop_manager.operations.requests import PersonAct
from shop_manager.tests.http_harness import HttpHarness

HOME = "/dashboard"


def is_inside(browser: BrowserClient) -> bool:
    return browser.get(HOME).status_code == 200


def test_who_is_not_logged_in_is_led_to_the_login_and_from_there_to_the_page(browser: BrowserClient) -> None:
    response = browser.get("/dashboard/keys?of=1")
    assert (response.status_code, response.headers["location"]) == (303, f"{LOGIN}?next=/dashboard/keys%3Fof%3D1")
    password, _ = people(browser.harness).add_operator("ada", "viewer")
    browser.get(response.headers["location"])
    assert 'name="next" value="/dashboard/keys?of=1"' in browser.page.text
    entered = browser.post(LOGIN, name="ada", password=password, next="/dashboard/keys?of=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard/keys?of=1")
    assert is_inside(browser)


@pytest.mark.parametrize(
    "path",
    ["https://evil.test/", "//evil.test", "/ops", "/dashboardx", "/dashboard/\\evil", "/dashboard/login", None,
     "/dashboard/../../evil", "/dashboard/..//evil.example", "/dashboard/%2e%2e//evil.example", "/dashboard/.%2E/ops",
     "/dashboard/clerks/../..", "/dashboard/.", "/dashboard/..?status=open", "/dashboard/..#here"],
)  # fmt: skip
def test_the_login_leads_to_a_page_of_the_dashboard_and_nowhere_else(path: str | None) -> None:
    assert safe_return_path(path) == HOME
    assert safe_return_path("/dashboard/clerks?q=/../x") == "/dashboard/clerks?q=/../x"
    assert safe_return_path("/dashboard/clerks?status=open&q=%2F") == "/dashboard/clerks?status=open&q=%2F"


def test_a_script_that_is_not_logged_in_is_told_and_not_redirected(browser: BrowserClient) -> None:
    response = browser.get("/dashboard/keys", hx_request="true")
    assert (response.status_code, response.headers["hx-redirect"]) == (401, f"{LOGIN}?next=/dashboard/keys")


def test_an_open_page_whose_login_has_ended_is_told_and_stays_where_it_is(browser: BrowserClient) -> None:
    response = browser.get("/dashboard/live", hx_request="true", accept="text/html, text/event-stream")
    assert response.status_code == 401 and "hx-redirect" not in response.headers


def test_S8_the_cookie_is_http_only_same_site_and_for_the_dashboard_alone(browser: BrowserClient) -> None:
    password, _ = people(browser.harness).add_operator("ada", "viewer")
    [cookie] = [each for each in browser.logs_in("ada", password).headers.get_list("set-cookie") if COOKIE in each]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert "Path=/dashboard" in cookie and "Domain" not in cookie and "Secure" not in cookie


def test_S8_behind_tls_the_cookie_is_secure_and_bound_to_the_host(harness: HttpHarness) -> None:
    browser = BrowserClient(harness, "https://shop.test")
    password, _ = people(harness).add_operator("ada", "viewer")
    [cookie] = [each for each in browser.logs_in("ada", password).headers.get_list("set-cookie") if COOKIE in each]
    assert cookie.startswith(f"__Host-{COOKIE}=") and "Secure" in cookie and "Path=/;" in cookie
    assert is_inside(browser)
    browser.cookies.set(COOKIE, browser.cookies[f"__Host-{COOKIE}"])
    del browser.cookies[f"__Host-{COOKIE}"]
    assert not is_inside(browser), "over TLS the name without the prefix opens nothing"


def test_S8_the_token_is_kept_as_a_hash_only(viewer: BrowserClient) -> None:
    token = viewer.cookies[COOKIE]
    with viewer.harness.database.read() as tx:
        [row] = tx.execute(select(tables.metadata.tables["logins"])).all()
    assert len(token) >= 43 and token not in str(row)


def test_S8_each_login_has_a_token_of_its_own_and_ends_the_one_before(browser: BrowserClient) -> None:
    password, _ = people(browser.harness).add_operator("ada", "viewer")
    browser.cookies.set(COOKIE, "chosen-by-somebody-else", path=HOME, domain="shop.test")
    browser.logs_in("ada", password)
    first = browser.cookies[COOKIE]
    assert first != "chosen-by-somebody-else"
    browser.get(LOGIN)
    other = BrowserClient(browser.harness)
    other.get(LOGIN)
    other.cookies.set(COOKIE, first, path=HOME, domain="shop.test")
    other.post(LOGIN, name="ada", password=password)
    assert other.cookies[COOKIE] != first and is_inside(other) and not is_inside(browser)


def test_S8_logging_out_ends_the_login_here_and_on_the_server(viewer: BrowserClient) -> None:
    token = viewer.cookies[COOKIE]
    response = viewer.post("/dashboard/logout")
    assert (response.status_code, response.headers["location"]) == (303, LOGIN)
    assert not viewer.cookies.get(COOKIE)
    viewer.cookies.set(COOKIE, token, path=HOME, domain="shop.test")
    assert not is_inside(viewer)


def test_S8_a_login_ends_when_it_is_not_used_and_after_the_longest_time() -> None:
    lifetime = LoginLifetime(idle=minutes(60), longest=hours(12))
    assert not lifetime.is_over(0, seen_at=0, now=minutes(60) - 1)
    assert lifetime.is_over(0, seen_at=0, now=minutes(60))
    assert not lifetime.is_over(0, seen_at=hours(11.5), now=hours(12) - 1)
    assert lifetime.is_over(0, seen_at=hours(11.5), now=hours(12)), "however much it was used"


def test_S8_using_a_login_keeps_it_alive_and_leaving_it_ends_it(viewer: BrowserClient) -> None:
    for _ in range(3):
        viewer.harness.now += minutes(50)
        assert is_inside(viewer)
    viewer.harness.now += minutes(61)
    assert not is_inside(viewer)


def test_S8_a_page_that_only_listens_keeps_nobody_logged_in(viewer: BrowserClient) -> None:
    viewer.harness.notifier.close()  # a stream ends at once at closing time
    viewer.harness.now += minutes(50)
    assert viewer.get("/dashboard/live", accept="text/event-stream").status_code == 200
    viewer.harness.now += minutes(11)
    assert not is_inside(viewer)


def test_S8_a_login_ends_with_a_new_role_or_password(harness: HttpHarness) -> None:
    browser = BrowserClient(harness).logged_in("admin", "ada")
    people(harness).add_operator("ada", "viewer")
    assert not is_inside(browser)
    again = BrowserClient(harness).logged_in("admin", "eve")
    people(harness).add_operator("eve", "admin")
    assert not is_inside(again), "the same role, but another password"


def test_S8_a_login_ends_when_its_person_is_disabled(harness: HttpHarness, admin: BrowserClient) -> None:
    browser = BrowserClient(harness).logged_in("operator", "ada")
    root = Principal("operator", "admin", "admin-of-the-night")
    harness.operations.people.act(root, "ada", PersonAct(action="disable", reason="has left"))
    assert not is_inside(browser) and is_inside(admin)


def test_S2_a_wrong_name_and_a_wrong_password_get_the_same_answer(harness: HttpHarness) -> None:
    people(harness).add_operator("ada", "viewer")
    text = []
    for name in ("ada", "bob"):
        response = BrowserClient(harness).logs_in(name, "wrong")
        assert response.status_code == 401 and "www-authenticate" not in response.headers
        text.append(visible_text_of(response.text))
    assert text[0] == text[1] and "Name or password is wrong." in text[0]


def test_S2_who_guesses_is_slowed_down_and_told_how_long(browser: BrowserClient) -> None:
    password, _ = people(browser.harness).add_operator("ada", "viewer")
    for _ in range(int(PAIR.burst)):
        assert browser.logs_in("ada", "wrong").status_code == 401
    response = browser.logs_in("ada", password)
    assert response.status_code == 429 and int(response.headers["retry-after"]) > 0
    assert "Too many tries. Wait" in visible_text_of(response.text)
    elsewhere = BrowserClient(browser.harness, address="198.51.100.9")
    assert elsewhere.logs_in("ada", password).status_code == 303, "nobody can lock somebody else out"


def at(host: str) -> Origin:
    return origin({"client": (host, 1)})


HERE = at("198.51.100.7")


def test_S2_the_throttle_counts_a_48_full_of_addresses_together() -> None:
    throttle = LoginThrottle(lambda: 0.0)
    tries = [throttle.take(f"name-{number}", at(f"2001:db8:1:{number:x}::7")) for number in range(161)]
    assert [number for number, wait in enumerate(tries) if wait] == [160]
    assert throttle.take("name-0", at("2001:db8:2::7")) == 0


def test_S2_the_throttle_counts_by_address_and_by_name_too() -> None:
    now = 0.0
    throttle = LoginThrottle(lambda: now)
    assert not any(throttle.take(f"name-{number}", HERE) for number in range(20))
    assert throttle.take("name-20", HERE) > 0
    assert not any(throttle.take("ada", at(f"192.0.2.{number}")) for number in range(100))
    assert throttle.take("ada", at("192.0.2.100")) > 0
    now = 3600.0
    assert throttle.take("ada", HERE) == 0


def test_S2_a_name_is_counted_as_one_however_it_is_written() -> None:
    throttle = LoginThrottle(lambda: 0.0)
    written = ["ada", "Ada", "ADA", "a\u200bda", "ada\ufeff"]
    assert [throttle.take(name, HERE) > 0 for name in [*written, "aDa"]] == [False] * 5 + [True]


def test_S2_a_right_password_is_not_counted() -> None:
    throttle = LoginThrottle(lambda: 0.0)
    for _ in range(50):
        assert throttle.take("ada", HERE) == 0
        throttle.succeeded("ada", HERE)

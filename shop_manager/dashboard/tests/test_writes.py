"""Every write has the token of its cookie and comes from a page of ours (security S8), whatever the route."""

from __future__ import annotations

import pytest

from shop_manager.dashboard.tests.visitor import LOGIN, Visitor, people, words_of

LOGOUT = "/dashboard/logout"
FOREIGN = [
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://shop.test:8080"},
    {"Origin": "http://shop.test.evil.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_S8_a_form_of_another_page_is_refused(viewer: Visitor, headers: dict[str, str]) -> None:
    answer = viewer.post(LOGOUT, headers)
    assert answer.status_code == 403 and "not sent from this dashboard" in words_of(answer.text)
    assert viewer.get("/dashboard").status_code == 200, "and nothing was done"


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_S8_a_form_without_the_right_token_is_refused(viewer: Visitor, token: str) -> None:
    assert viewer.post(LOGOUT, csrf=token).status_code == 403
    assert viewer.get("/dashboard").status_code == 200


def test_S8_the_token_of_one_login_is_none_for_another(viewer: Visitor, operator: Visitor) -> None:
    assert viewer.token() and viewer.token() != operator.token()
    assert viewer.post(LOGOUT, csrf=operator.token()).status_code == 403


def test_S8_a_browser_that_does_not_say_the_origin_is_refused_and_a_script_with_the_token_is_not(
    viewer: Visitor,
) -> None:
    form = {"csrf": viewer.token()}
    assert viewer.post(LOGOUT, {"Origin": "", "Sec-Fetch-Site": "same-origin"}).status_code == 403
    assert viewer._ask("POST", LOGOUT, data=form).status_code == 303


def test_S8_a_form_that_comes_without_the_cookie_drops_none(visitor: Visitor) -> None:
    answer = visitor.post(LOGOUT, {"Origin": "https://evil.test"})
    assert answer.status_code == 303 and "set-cookie" not in answer.headers


def test_S8_a_proxy_that_takes_off_the_tls_does_not_hinder(viewer: Visitor) -> None:
    assert viewer.post(LOGOUT, {"Origin": "https://shop.test"}).status_code == 303


def test_S8_nobody_can_be_logged_in_by_another_page(visitor: Visitor) -> None:
    password, _ = people(visitor.house).add_operator("ada", "viewer")
    visitor.get(LOGIN)
    for headers in FOREIGN:
        assert visitor.post(LOGIN, headers, name="ada", password=password).status_code == 403
    assert visitor.post(LOGIN, csrf="0" * 64, name="ada", password=password).status_code == 403
    assert visitor.get("/dashboard").status_code == 303


def test_a_form_that_cannot_be_read_is_refused_in_words(viewer: Visitor) -> None:
    for body in (b"csrf=%FF", b"a=1&" * 1001, b"a=%00"):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = viewer._ask("POST", LOGOUT, content=body, headers=kind)
        assert answer.status_code == 422 and "The form" in words_of(answer.text)

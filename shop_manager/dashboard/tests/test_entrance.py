"""Logging in and out (security S2, S8): what the cookie is, when a login ends, who is slowed down."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from domain.times import hours, minutes
from doors.callers import Caller
from shop_manager import store
from shop_manager.dashboard.cookies import LOGIN as COOKIE
from shop_manager.dashboard.entrance import inside
from shop_manager.dashboard.logins import Span
from shop_manager.dashboard.tests.visitor import LOGIN, Visitor, people, words_of
from shop_manager.dashboard.throttle import PAIR, Throttle
from shop_manager.operations.requests import PersonAct
from shop_manager.tests.house import House

HOME = "/dashboard"


def is_inside(visitor: Visitor) -> bool:
    return visitor.get(HOME).status_code == 200


def test_who_is_not_logged_in_is_led_to_the_login_and_from_there_to_the_page(visitor: Visitor) -> None:
    answer = visitor.get("/dashboard/keys?of=1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LOGIN}?next=/dashboard/keys%3Fof%3D1")
    password, _ = people(visitor.house).add_operator("ada", "viewer")
    visitor.get(answer.headers["location"])
    assert 'name="next" value="/dashboard/keys?of=1"' in visitor.page.text
    entered = visitor.post(LOGIN, name="ada", password=password, next="/dashboard/keys?of=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard/keys?of=1")
    assert is_inside(visitor)


@pytest.mark.parametrize(
    "path", ["https://evil.test/", "//evil.test", "/ops", "/dashboardx", "/dashboard/\\evil", "/dashboard/login", None]
)
def test_the_login_leads_to_a_page_of_the_dashboard_and_nowhere_else(path: str | None) -> None:
    assert inside(path) == HOME
    assert inside("/dashboard/clerks?status=open&q=%2F") == "/dashboard/clerks?status=open&q=%2F"


def test_a_script_that_is_not_logged_in_is_told_and_not_redirected(visitor: Visitor) -> None:
    for headers in ({"hx_request": "true"}, {"accept": "text/event-stream"}):
        answer = visitor.get("/dashboard/live", **headers)
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, f"{LOGIN}?next=/dashboard/live")


def test_S8_the_cookie_is_http_only_same_site_and_for_the_dashboard_alone(visitor: Visitor) -> None:
    password, _ = people(visitor.house).add_operator("ada", "viewer")
    [cookie] = [each for each in visitor.logs_in("ada", password).headers.get_list("set-cookie") if COOKIE in each]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert "Path=/dashboard" in cookie and "Domain" not in cookie and "Secure" not in cookie


def test_S8_behind_tls_the_cookie_is_secure_and_bound_to_the_host(house: House) -> None:
    visitor = Visitor(house, "https://shop.test")
    password, _ = people(house).add_operator("ada", "viewer")
    [cookie] = [each for each in visitor.logs_in("ada", password).headers.get_list("set-cookie") if COOKIE in each]
    assert cookie.startswith(f"__Host-{COOKIE}=") and "Secure" in cookie and "Path=/;" in cookie
    assert is_inside(visitor)
    visitor.cookies.set(COOKIE, visitor.cookies[f"__Host-{COOKIE}"])
    del visitor.cookies[f"__Host-{COOKIE}"]
    assert not is_inside(visitor), "over TLS the name without the prefix opens nothing"


def test_S8_the_token_is_kept_as_a_hash_only(viewer: Visitor) -> None:
    token = viewer.cookies[COOKIE]
    with viewer.house.database.read() as tx:
        [row] = tx.execute(select(store.metadata.tables["logins"])).all()
    assert len(token) >= 43 and token not in str(row)


def test_S8_each_login_has_a_token_of_its_own_and_ends_the_one_before(visitor: Visitor) -> None:
    password, _ = people(visitor.house).add_operator("ada", "viewer")
    visitor.cookies.set(COOKIE, "chosen-by-somebody-else", path=HOME, domain="shop.test")
    visitor.logs_in("ada", password)
    first = visitor.cookies[COOKIE]
    assert first != "chosen-by-somebody-else"
    visitor.get(LOGIN)
    other = Visitor(visitor.house)
    other.get(LOGIN)
    other.cookies.set(COOKIE, first, path=HOME, domain="shop.test")
    other.post(LOGIN, name="ada", password=password)
    assert other.cookies[COOKIE] != first and is_inside(other) and not is_inside(visitor)


def test_S8_logging_out_ends_the_login_here_and_on_the_server(viewer: Visitor) -> None:
    token = viewer.cookies[COOKIE]
    answer = viewer.post("/dashboard/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, LOGIN)
    assert not viewer.cookies.get(COOKIE)
    viewer.cookies.set(COOKIE, token, path=HOME, domain="shop.test")
    assert not is_inside(viewer)


def test_S8_a_login_ends_when_it_is_not_used_and_after_the_longest_time() -> None:
    span = Span(idle=minutes(60), most=hours(12))
    assert not span.over(0, seen_at=0, now=minutes(60) - 1)
    assert span.over(0, seen_at=0, now=minutes(60))
    assert not span.over(0, seen_at=hours(11.5), now=hours(12) - 1)
    assert span.over(0, seen_at=hours(11.5), now=hours(12)), "however much it was used"


def test_S8_using_a_login_keeps_it_alive_and_leaving_it_ends_it(viewer: Visitor) -> None:
    for _ in range(3):
        viewer.house.now += minutes(50)
        assert is_inside(viewer)
    viewer.house.now += minutes(61)
    assert not is_inside(viewer)


def test_S8_a_page_that_only_listens_keeps_nobody_logged_in(viewer: Visitor) -> None:
    viewer.house.watch.close()  # a stream ends at once at closing time
    viewer.house.now += minutes(50)
    assert viewer.get("/dashboard/live", accept="text/event-stream").status_code == 200
    viewer.house.now += minutes(11)
    assert not is_inside(viewer)


def test_S8_a_login_ends_with_a_new_role_or_password(house: House) -> None:
    visitor = Visitor(house).logged_in("admin", "ada")
    people(house).add_operator("ada", "viewer")
    assert not is_inside(visitor)
    again = Visitor(house).logged_in("admin", "eve")
    people(house).add_operator("eve", "admin")
    assert not is_inside(again), "the same role, but another password"


def test_S8_a_login_ends_when_its_person_is_disabled(house: House, admin: Visitor) -> None:
    visitor = Visitor(house).logged_in("operator", "ada")
    root = Caller("operator", "admin", "admin-of-the-night")
    house.operations.people.act(root, "ada", PersonAct(action="disable", reason="has left"))
    assert not is_inside(visitor) and is_inside(admin)


def test_S2_a_wrong_name_and_a_wrong_password_get_the_same_answer(house: House) -> None:
    people(house).add_operator("ada", "viewer")
    told = []
    for name in ("ada", "bob"):
        answer = Visitor(house).logs_in(name, "wrong")
        assert answer.status_code == 401 and "www-authenticate" not in answer.headers
        told.append(words_of(answer.text))
    assert told[0] == told[1] and "Name or password is wrong." in told[0]


def test_S2_who_guesses_is_slowed_down_and_told_how_long(visitor: Visitor) -> None:
    password, _ = people(visitor.house).add_operator("ada", "viewer")
    for _ in range(int(PAIR.burst)):
        assert visitor.logs_in("ada", "wrong").status_code == 401
    answer = visitor.logs_in("ada", password)
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert "Too many tries. Wait" in words_of(answer.text)
    elsewhere = Visitor(visitor.house, address="198.51.100.9")
    assert elsewhere.logs_in("ada", password).status_code == 303, "nobody can lock somebody else out"


def test_S2_the_throttle_counts_by_address_and_by_name_too() -> None:
    now = 0.0
    throttle = Throttle(lambda: now)
    assert not any(throttle.take(f"name-{number}", "here") for number in range(20))
    assert throttle.take("name-20", "here") > 0
    assert not any(throttle.take("ada", f"address-{number}") for number in range(100))
    assert throttle.take("ada", "address-100") > 0
    now = 3600.0
    assert throttle.take("ada", "here") == 0


def test_S2_a_right_password_is_not_counted() -> None:
    throttle = Throttle(lambda: 0.0)
    for _ in range(50):
        assert throttle.take("ada", "here") == 0
        throttle.succeeded("ada", "here")

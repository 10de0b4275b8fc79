"""Behind a proxy CLERK_PUBLIC_URL settles cookies, origins, links and a prefix, and no header does (security S8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from shop_manager.dashboard.cookies import LOGIN as COOKIE
from shop_manager.dashboard.tests.browser_client import BrowserClient, people, visible_text_of
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import OPERATOR, stuck_one
from shop_manager.tests.test_operations_bulk import BOSS

PREFIX, ORIGIN = "/clerk", "https://shop.example"
ROOT = f"{PREFIX}/dashboard"


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Iterator[HttpHarness]:
    """The proxy passes the whole path on, over plain HTTP."""
    harness = HttpHarness(tmp_path, public_url=f"{ORIGIN}{PREFIX}")
    yield harness
    harness.database.close()


class Browser(BrowserClient):
    """It asks for the whole path, as a link of a page says it."""

    def logs_in(self, name: str, password: str, **fields: Any) -> httpx.Response:
        self.get(f"{ROOT}/login")
        return self.post(f"{ROOT}/login", name=name, password=password, **fields)


@pytest.fixture
def nora(behind_proxy: HttpHarness) -> BrowserClient:
    browser = Browser(behind_proxy, ORIGIN)
    password, _ = people(behind_proxy).add_operator("nora", "admin")
    browser.logs_in("nora", password)
    browser.get(f"{ROOT}/keys")
    return browser


def test_S8_with_an_https_address_cookies_are_secure_though_the_proxy_speaks_http(nora: BrowserClient) -> None:
    names = {cookie.name: cookie for cookie in nora.cookies.jar}
    assert set(names) == {f"__Host-{COOKIE}"}
    cookie = names[f"__Host-{COOKIE}"]
    assert cookie.secure and cookie.path == "/" and not cookie.domain_specified
    assert nora.get(ROOT).status_code == 200


def test_S8_with_an_http_address_a_header_makes_no_cookie_secure(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path, public_url="http://intern.example:8080/clerk")
    browser = BrowserClient(harness, "http://intern.example:8080")
    response = browser.get(f"{ROOT}/login", x_forwarded_proto="https")
    [cookie] = response.headers.get_list("set-cookie")
    assert cookie.startswith("clerk_visit=") and f"Path={ROOT};" in cookie and "Secure" not in cookie
    harness.database.close()


@pytest.mark.parametrize("origin", ["http://shop.example", "https://evil.test", "https://shop.example:444", "null"])
def test_S8_a_form_comes_from_the_public_address(nora: BrowserClient, origin: str) -> None:
    assert nora.post(f"{ROOT}/logout", {"Origin": origin}).status_code == 403
    assert nora.get(ROOT).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "evil.test", "shop.example:444", "shop.example.evil.test", ""])
def test_S8_a_write_under_another_name_is_refused_and_told_the_right_one(nora: BrowserClient, host: str) -> None:
    """Also with an Origin that fits that name: so a page of a name that leads to our address does nothing."""
    for headers in (
        {"Host": host},
        {"Host": host, "Origin": f"https://{host}"},
        {"Host": host, "X-Forwarded-Host": "shop.example"},
    ):
        response = nora.post(f"{ROOT}/logout", headers)
        assert response.status_code == 403
        assert "The dashboard is at https://shop.example/clerk/dashboard" in visible_text_of(response.text)
    assert nora.get(ROOT).status_code == 200
    assert Browser(nora.harness, ORIGIN).post(f"{ROOT}/login", {"Host": host}).status_code == 403


OTHERS = {f"{ROOT}/{name}" for name in ("live", "clerks.csv", "clerks.json", "login")}
"""Addresses that are no pages for somebody who is logged in."""


def test_every_link_and_form_of_every_page_leads_to_a_path_under_the_prefix(nora: BrowserClient) -> None:
    stuck_one(nora.harness)
    todo, seen = [ROOT], set[str]()
    while todo:
        path = todo.pop()
        seen.add(path)
        page = nora.get(path)
        assert page.status_code == 200, path
        found = re.findall(r'\s(?:href|src|action|hx-sse:connect)="([^"]*)"', page.text)
        own = [each.replace("&amp;", "&") for each in found if each.startswith("/")]
        assert [each for each in own if not each.startswith((f"{ROOT}", "data:"))] == [], path
        links = {urlsplit(each).path for each in own if "static" in each or f'href="{each}' in page.text}
        todo += sorted(links - seen - set(todo) - OTHERS)
    assert {f"{ROOT}/clerks", f"{ROOT}/people", f"{ROOT}/help", f"{ROOT}/static/app.css"} <= seen
    assert len([each for each in seen if each.startswith(f"{ROOT}/clerks/")]) >= 1


def test_an_act_and_a_logout_lead_to_paths_under_the_prefix(nora: BrowserClient) -> None:
    clerk = stuck_one(nora.harness)
    page = f"{ROOT}/clerks/{clerk}"
    nora.get(page)
    done = nora.post(f"{page}/actions", action="note", reason="seen", version=nora.version())
    assert (done.status_code, done.headers["location"]) == (303, page)
    nora.get(ROOT)
    left = nora.post(f"{ROOT}/logout")
    assert (left.status_code, left.headers["location"]) == (303, f"{ROOT}/login")
    led = nora.get(f"{page}?story=whole")
    assert led.headers["location"] == f"{ROOT}/login?next=/dashboard/clerks/{clerk}%3Fstory%3Dwhole"
    assert nora.get(f"{ROOT}/keys", hx_request="true").headers["hx-redirect"].startswith(f"{ROOT}/login?next=")


def test_the_login_leads_on_to_the_page_that_was_asked_for(behind_proxy: HttpHarness) -> None:
    password, _ = people(behind_proxy).add_operator("nora", "admin")
    browser = Browser(behind_proxy, ORIGIN)
    browser.get(f"{ROOT}/login?next=/dashboard/keys")
    response = browser.post(f"{ROOT}/login", name="nora", password=password, next="/dashboard/keys")
    assert response.headers["location"] == f"{ROOT}/keys"


def test_it_does_not_matter_whether_the_proxy_takes_the_prefix_off(behind_proxy: HttpHarness) -> None:
    for path in (f"{PREFIX}/shop/products", "/shop/session", f"{PREFIX}/shop/session"):
        assert behind_proxy.get(path, SERVER).status_code in (200, 404)
    whole, own = (behind_proxy.get(path, SERVER).text for path in (f"{PREFIX}/shop/session", "/shop/session"))
    assert whole == own
    assert behind_proxy.get(f"{PREFIX}/health/live").json() == {"status": "ok"}
    assert behind_proxy.get("/clerkx/health/live").status_code == 404


def test_locations_links_and_types_of_the_json_interface_are_under_the_prefix(behind_proxy: HttpHarness) -> None:
    clerk = stuck_one(behind_proxy)
    opened = behind_proxy.call("POST", f"{PREFIX}/shop/session", SERVER, json={})
    session = opened.json()
    assert opened.headers["location"] == session["links"]["self"] == f"{PREFIX}/shop/session/{session['id']}"
    listed = behind_proxy.get(f"{PREFIX}/shop/session", SERVER).json()["data"][0]
    read_one = behind_proxy.get(opened.headers["location"], SERVER).json()
    assert listed["links"] == read_one["links"] and all(link.startswith(PREFIX) for link in listed["links"].values())
    preview = {"action": "note", "reason": "seen", "ids": [clerk]}
    bulk = behind_proxy.call("POST", f"{PREFIX}/ops/bulk", BOSS, json=preview)
    assert bulk.headers["location"] == f"{PREFIX}/ops/bulk/{bulk.json()['id']}"
    refused = behind_proxy.get(f"{PREFIX}/ops/clerks/nobody", OPERATOR).json()
    assert refused["type"] == f"{PREFIX}/docs/errors#not_found"
    assert behind_proxy.get(refused["type"].partition("#")[0]).status_code == 200
    assert behind_proxy.get(f"{PREFIX}/openapi.json").json()["servers"] == [{"url": PREFIX}]


def test_a_saved_answer_has_links_as_they_are_today(behind_proxy: HttpHarness) -> None:
    key = {"Idempotency-Key": "0193b2f0-7a4e-7c11-8f00-1b2c3d4e5f60"}
    first, again = (behind_proxy.call("POST", f"{PREFIX}/shop/session", SERVER, json={}, headers=key) for _ in range(2))
    assert first.json() == again.json() and again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == again.json()["links"]["self"]

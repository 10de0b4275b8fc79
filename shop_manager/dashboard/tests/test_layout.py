"""What holds of every page: headers, our own files, no inline script or style, errors in the same look (S7, S10)."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

import pytest

from shop_manager.dashboard.assets import asset
from shop_manager.dashboard.navigation import NAVIGATION
from shop_manager.dashboard.tests.browser_client import LOGIN, BrowserClient, visible_text_of
from shop_manager.tests.http_harness import HttpHarness

STATIC = resources.files("shop_manager.dashboard").joinpath("static")
PAGES = [*(item.path for item in NAVIGATION), "/dashboard/keys", "/dashboard/nothing-here"]
INLINE = re.compile(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:|hx-on|\sjs:", re.IGNORECASE)


@pytest.mark.parametrize("path", PAGES)
def test_S10_every_page_has_the_strict_headers_and_nothing_inline(admin: BrowserClient, path: str) -> None:
    page = admin.get(path)
    assert page.status_code == (404 if path == "/dashboard/nothing-here" else 200)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';") and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff" and page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert INLINE.search(page.text) is None


def test_S10_the_login_page_has_them_too(browser: BrowserClient) -> None:
    page = browser.get(LOGIN)
    assert "unsafe" not in page.headers["content-security-policy"] and INLINE.search(page.text) is None
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_loads_only_our_own_files_each_by_its_hash(admin: BrowserClient, path: str) -> None:
    text = admin.get(path).text
    loaded = re.findall(r'(?:<script src|<link rel="(?:stylesheet|icon)" href)="([^"]+)"', text)
    assert len(loaded) == 8
    for address in loaded:
        response = admin.get(address)
        assert response.status_code == 200 and "immutable" in response.headers["cache-control"], address
        tag = response.headers["etag"]
        assert admin.get(address, if_none_match=tag).status_code == 304


def test_an_outdated_address_of_a_file_is_not_kept_for_long(browser: BrowserClient) -> None:
    response = browser.get("/dashboard/static/app.css?v=old")
    assert response.status_code == 200 and response.headers["cache-control"] == "public, no-cache"
    assert browser.get("/dashboard/static/layout.py").status_code == 404
    assert asset("app.css") != asset("dashboard.js")


def test_the_vendored_files_are_those_that_the_list_says() -> None:
    text = STATIC.joinpath("THIRD_PARTY.md").read_text()
    listed = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", text, re.MULTILINE))
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in STATIC.iterdir()}
    ours = {"THIRD_PARTY.md", "app.css", "choose.js", "dashboard.js", "icon.svg", "pages.css", "search.js", "times.js"}
    assert listed == {name: digest for name, digest in found.items() if name not in ours}


def test_an_error_is_a_page_with_the_way_on(viewer: BrowserClient) -> None:
    page = viewer.get("/dashboard/nothing-here")
    assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
    text = visible_text_of(page.text)
    assert "There is nothing here" in text and page.headers["request-id"] in text
    assert 'href="/dashboard/clerks"' in page.text, "the navigation stays"


def test_S7_a_page_that_breaks_says_so_without_a_trace(harness: HttpHarness, viewer: BrowserClient) -> None:
    with harness.database.begin() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE clerks RENAME TO planted_secret")
    page = viewer.get("/dashboard")
    assert page.status_code == 503 and page.headers["content-type"].startswith("text/html")
    assert "planted" not in page.text and "Traceback" not in page.text and "sqlite" not in page.text.lower()


def test_a_page_says_where_one_is(viewer: BrowserClient) -> None:
    for item in NAVIGATION:
        if item.role == "viewer":
            current = re.findall(r'<a href="([^"]+)"[^>]* aria-current="page"', viewer.get(item.path).text)
            assert current == [item.path]


def test_the_banner_above_every_page_tells_what_is_stuck(harness: HttpHarness, viewer: BrowserClient) -> None:
    assert "Nothing is stuck" in viewer.text("/dashboard/keys")
    harness.brings_all()
    harness.goes_on_to("CapturePayment")
    harness.now += 61_000
    harness.ticks()
    text = viewer.text("/dashboard/keys")
    assert "1 stuck, €25.90 at risk" in text and "checked" in text

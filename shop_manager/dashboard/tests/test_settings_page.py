"""Each operator's own settings: in which time the pages are read. And what every page shows of ids and times."""

from __future__ import annotations

import re

from shop_manager.dashboard.layout import ENVIRONMENT
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.tests.http_harness import HttpHarness

SETTINGS = "/dashboard/settings"
CLERK = "clk_0193a1b2c3d4e5f60718293a4b5c6d7e"


def clock_of(browser: BrowserClient) -> str:
    found = re.search(r'<body data-clock="(\w+)">', browser.get("/dashboard/keys").text)
    assert found
    return found.group(1)


def test_each_operator_chooses_local_time_or_utc_wherever_they_log_in(harness: HttpHarness) -> None:
    here = BrowserClient(harness).logged_in("operator", "nora")
    other = BrowserClient(harness).logged_in("viewer", "otto")
    assert clock_of(here) == "local"
    response = here.post(SETTINGS, clock="utc")
    assert (response.status_code, response.headers["location"]) == (303, SETTINGS)
    assert "Saved. It holds wherever you log in." in here.text(SETTINGS)
    assert "Saved" not in here.text(SETTINGS)
    assert (clock_of(here), clock_of(other)) == ("utc", "local")
    here.post(SETTINGS, clock="local")
    assert clock_of(here) == "local"


def test_another_time_than_these_is_refused_in_a_sentence(viewer: BrowserClient) -> None:
    response = viewer.post(SETTINGS, clock="sidereal")
    assert response.status_code == 422
    assert "&#39;sidereal&#39; is none: allowed are local and utc" in response.text
    assert clock_of(viewer) == "local"


def test_without_a_login_and_without_javascript_times_are_in_utc_and_say_so(browser: BrowserClient) -> None:
    assert '<body data-clock="utc">' in browser.get("/dashboard/login").text
    macro = '{% from "macros.html" import at, at_clock %}{{ at(1800000000000) }} {{ at_clock(1800000000000) }}'
    assert visible_text_of(ENVIRONMENT.from_string(macro).render()) == "2027-01-15 08:00:00 UTC 08:00:00 UTC"


def test_a_short_id_is_there_as_a_whole_to_mark_find_and_copy() -> None:
    macro = '{% from "macros.html" import short_id %}{{ short_id(id, "/x", line=true) }}{{ short_id(id) }}'
    html = ENVIRONMENT.from_string(macro).render(id=CLERK)
    link = f'<a class="id short" href="/x" title="{CLERK}" data-line>{CLERK}</a>'
    assert link in html and f'<bdi class="id" title="{CLERK}"><span class="short">{CLERK}</span></bdi>' in html
    assert html.count(f'data-copy="{CLERK}"') == 2
    html = ENVIRONMENT.from_string(macro).render(id=f"{CLERK}/capture/1/do")
    assert f'<span class="short">{CLERK}</span>/capture/1/do</bdi>' in html

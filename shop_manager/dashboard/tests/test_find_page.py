"""The search of every page: one hit is opened, several are listed by kind, and a part of it while somebody types."""

from __future__ import annotations

import re
from html import unescape

import pytest

from shop_manager.dashboard.formatting import plain
from shop_manager.dashboard.tests.browser_client import BrowserClient
from shop_manager.dashboard.tests.test_clerks_page import EVIL
from shop_manager.tests.http_harness import SERVER, HttpHarness

FIND = "/dashboard/find"


def test_one_hit_is_opened(harness: HttpHarness, viewer: BrowserClient) -> None:
    clerk = harness.opened(SERVER, customer="ada", client_reference="order 7")["id"]
    for words in (clerk, f"  {clerk} ", clerk[4:10], "ORDER-7"):
        response = viewer.request("GET", FIND, params={"q": words})
        assert (response.status_code, response.headers["location"]) == (303, f"/dashboard/clerks/{clerk}"), words


def test_several_are_listed_by_kind_with_what_an_operator_knows_an_order_by(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    first, second = (harness.opened(SERVER, customer="ada", client_reference=f"order {each}")["id"] for each in "12")
    text = viewer.text(f"{FIND}?q=order")
    assert "Found for “order” Client reference" in text
    for clerk in (first, second):
        assert re.search(rf"order \d ada (.* )?open now {clerk}", text), text
        assert f'href="/dashboard/clerks/{clerk}" data-line' in viewer.page.text


def test_nothing_that_fits_is_said_with_what_can_be_searched_for(viewer: BrowserClient) -> None:
    text = viewer.text(f"{FIND}?q=clk_unknown")
    assert "Nothing fits “clk_unknown”." in text and "a whole e-mail address" in text
    assert "Type at least two letters or digits." in viewer.text(FIND)


def test_while_somebody_types_a_part_of_a_page_comes(harness: HttpHarness, viewer: BrowserClient) -> None:
    ids = [harness.opened(SERVER, client_reference=f"order {each}")["id"] for each in range(6)]
    page = viewer.get(f"{FIND}/hits?q=orde")
    assert len(re.findall("data-hit", page.text)) == 4
    assert "There are more" in page.text
    assert "<html" not in page.text and ids[0] in page.text


@pytest.mark.parametrize("path", [FIND, f"{FIND}/hits"])
def test_S10_whatever_was_typed_shows_as_text(viewer: BrowserClient, path: str) -> None:
    page = viewer.request("GET", path, params={"q": EVIL})
    assert page.status_code == 200
    assert "<script>alert" not in page.text and "\u202e" not in page.text
    [shown] = re.findall(r"Nothing fits “<bdi>(.*?)</bdi>", page.text)
    assert unescape(shown) == plain(EVIL)

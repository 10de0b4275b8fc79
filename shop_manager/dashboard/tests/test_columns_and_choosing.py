"""The list of Clerks: which columns it has is in the address, and an admin acts on the rows that are chosen (O4)."""

from __future__ import annotations

import re
from html import unescape

from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.test_clerks_page import EVIL, LIST, listed, stuck_at_capture
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import read

BULK = "/dashboard/bulk"
USUAL = ["Reference", "Customer", "Total", "Status", "Step", "Stuck", "Opened"]


def headings(browser: BrowserClient, query: str = "") -> list[str]:
    text = browser.get(f"{LIST}?{query}").text
    return [visible_text_of(each).rstrip(" ↓↑") for each in re.findall(r'<th scope="col".*?</th>', text)]


def test_columns_have_a_usual_choice_that_follows_filter_and_order(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.opened()
    assert headings(viewer) == [*USUAL, "Clerk"]
    assert headings(viewer, "updated_since=1h") == [*USUAL, "Changed", "Clerk"]
    assert headings(viewer, "sort=next_wake_at") == [*USUAL, "Next act by itself", "Clerk"]


def test_columns_are_chosen_with_boxes_and_stay_in_every_address(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.opened(SERVER, customer="ada")
    chosen = viewer.get(f"{LIST}?customer=ada&column.shop=on&column.total=on")
    assert (chosen.status_code, chosen.headers["location"]) == (303, f"{LIST}?customer=ada&columns=total%2Cshop")
    assert headings(viewer, "customer=ada&columns=total%2Cshop") == ["Total", "Shop", "Clerk"]
    links = [unescape(each) for each in re.findall(r'href="(/dashboard/clerks(?:\?[^"]*)?)"', viewer.page.text)]
    assert {link for link in links if "columns=" not in link} == {LIST, f"{LIST}?customer=ada"}, "menu, the usual ones"
    assert 'name="column.shop" value="on" checked' in viewer.page.text
    assert '<input type="hidden" name="columns" value="total,shop">' in viewer.page.text
    viewer.post("/dashboard/views", name="mine", query="customer=ada&columns=total,shop")
    assert (
        f'class="pill" href="{LIST}?customer=ada&amp;columns=total%2Cshop" aria-current'
        in viewer.get(f"{LIST}?customer=ada&columns=total,shop").text
    )


def test_a_column_that_is_none_is_named(viewer: BrowserClient) -> None:
    page = viewer.get(f"{LIST}?columns=total,colour")
    assert page.status_code == 422 and "allowed are reference, customer, total" in visible_text_of(page.text)


def test_only_who_may_act_on_many_gets_boxes(
    harness: HttpHarness, viewer: BrowserClient, operator: BrowserClient, admin: BrowserClient
) -> None:
    clerk = harness.opened()["id"]
    for browser in (viewer, operator):
        assert listed(browser) == [clerk]
        assert 'type="checkbox" name="id"' not in browser.page.text and "Act on" not in browser.page.text
    assert listed(admin) == [clerk]
    assert f'type="checkbox" name="id" value="{clerk}"' in admin.page.text


def test_O4_the_chosen_rows_get_the_same_preview_as_a_filter(harness: HttpHarness, admin: BrowserClient) -> None:
    first, second, third = (stuck_at_capture(harness) for _ in range(3))
    form = admin.get(f"{BULK}?page={first},{second},{third}&id={first}&id={third}&which=chosen")
    text = visible_text_of(form.text)
    assert "To the 2 Clerks that you have chosen" in text and "Replay" not in text and "To which Clerks" not in text
    assert re.findall(r'name="id" value="([^"]+)"', form.text) == [first, third]
    refused = admin.post(BULK, id=[first, third], action="retry", reason=" ")
    assert refused.status_code == 422 and re.findall(r'name="id" value="([^"]+)"', refused.text) == [first, third]
    made = admin.post(BULK, id=[first, third], action="retry", reason="payment is back")
    assert made.status_code == 303, visible_text_of(made.text)
    preview = admin.text(made.headers["location"])
    assert "Ask again now: 2 orders, €51.80 in all" in preview and preview.count("may be done") == 2
    assert second not in preview
    items = read(harness, f"bulk/{made.headers['location'].rpartition('/')[2]}")["items"]["data"]
    assert {item["target"] for item in items} == {first, third}


def test_all_of_the_page_are_chosen_without_a_tick(harness: HttpHarness, admin: BrowserClient) -> None:
    made = [harness.opened()["id"] for _ in range(3)]
    page = admin.get(LIST)
    [ids] = re.findall(r'name="page" value="([^"]+)"', page.text)
    assert sorted(ids.split(",")) == sorted(made) and "Act on all 3 of this page" in visible_text_of(page.text)
    form = admin.get(f"{BULK}?page={ids}&which=page")
    assert re.findall(r'name="id" value="([^"]+)"', form.text) == ids.split(",")


def test_with_nothing_chosen_it_is_said_and_what_was_forged_is_text(harness: HttpHarness, admin: BrowserClient) -> None:
    text = admin.text(f"{BULK}?page=clk_1&which=chosen")
    assert "Nothing is chosen: tick a box of the list first." in text and "To which Clerks" in text
    page = admin.request("GET", BULK, params={"which": "chosen", "id": EVIL})
    assert page.status_code == 200 and "<script>alert" not in page.text
    admin.get(BULK)
    refused = admin.post(BULK, id=["clk_unknown"], action="retry", reason="x")
    assert refused.status_code == 422 and "not known: clk_unknown" in visible_text_of(refused.text)

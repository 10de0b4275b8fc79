"""The list of Clerks: filters, order and place are in the address; grouped by cause; everything typed shows as text."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import update

from domain.times import hours, seconds
from shop_manager.dashboard import clerks_page
from shop_manager.dashboard.formatting import plain
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.engine.tables import clerks
from shop_manager.tests.http_harness import SERVER, HttpHarness

LIST = "/dashboard/clerks"
EVIL = '<script>alert("x")</script>'
TURNED = "\u202egnp.exe"


def listed(browser: BrowserClient, query: str = "") -> list[str]:
    page = browser.get(f"{LIST}?{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'href="/dashboard/clerks/([^"]+)"[^>]* data-line', page.text)


def stuck_at_capture(harness: HttpHarness, **body: Any) -> str:
    harness.sent()  # what others have asked is not answered here
    clerk: str = harness.brings_all(SERVER, **body)["id"]
    harness.goes_on_to("CapturePayment")
    harness.now += seconds(61)
    harness.ticks()
    harness.sent()
    return clerk


def test_every_filter_is_in_the_address_and_the_form_shows_it_again(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    open_one = harness.opened(SERVER, customer="grace", client_reference="ref 7")["id"]
    stuck = stuck_at_capture(harness, customer="ada")
    for query, found in {
        "": {open_one, stuck},
        "stuck=yes": {stuck},
        "stuck=no": {open_one},
        "kind=no_answer": {stuck},
        "kind=overdue": set(),
        "code=no_answer": {stuck},
        "code=other": set(),
        "status=open": {open_one},
        "step=capture": {stuck},
        "process=standard/1": {stuck},
        "shop=elsewhere": set(),
        "customer=grace": {open_one},
        "reference=ref+7": {open_one},
        "older_than=30s": {open_one, stuck},
        "older_than=2h": set(),
        "updated_since=1h": {open_one, stuck},
        "updated_since=30s": {stuck},
        "updated_since=2200-01-01T00:00:00Z": set(),
        "status=open&customer=ada": set(),
        "customer=+ada+&step=&kind=": {stuck},
    }.items():
        assert set(listed(viewer, query)) == found, query
    text = viewer.get(f"{LIST}?customer=ada&status=open&older_than=10s").text
    assert 'name="customer" value="ada"' in text and 'name="older_than" value="10s"' in text
    assert '<option value="open" selected>' in text


def test_each_filter_in_force_is_a_chip_that_is_taken_away_by_itself(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    harness.opened(SERVER, customer="ada")
    page = viewer.get(f"{LIST}?customer=ada&status=open&updated_since=1h&sort=created_at")
    chips = re.findall(r'class="chip" href="([^"]+)".*?<bdi>(.*?)</bdi></strong>(.*?)</span>', page.text)
    assert [(unescape(link), value, after) for link, value, after in chips] == [
        (f"{LIST}?sort=created_at&customer=ada&updated_since=1h", "open", ""),
        (f"{LIST}?status=open&sort=created_at&updated_since=1h", "ada", ""),
        (f"{LIST}?status=open&sort=created_at&customer=ada", "1h", " ago"),
    ]
    assert f'<a href="{LIST}?sort=created_at">clear all</a>' in page.text
    assert "+ stuck" in visible_text_of(page.text) and "+ changed" not in visible_text_of(page.text)


def test_what_changed_in_the_last_hour_is_one_click(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.opened()
    with harness.database.begin() as tx:
        tx.execute(update(clerks).values(updated_at=clerks.c.updated_at - hours(2)))
    lately = harness.opened()["id"]
    page = viewer.get(LIST)
    assert "clear all" not in page.text
    [link] = re.findall(
        r'<a href="/dashboard/clerks\?([^"]+)"><span aria-hidden="true">\+</span> changed in', page.text
    )
    assert listed(viewer, unescape(link)) == [lately]


def test_what_is_stuck_longest_comes_first_and_any_order_can_be_asked_for(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    first, second = stuck_at_capture(harness), stuck_at_capture(harness)
    assert listed(viewer, "stuck=yes") == [first, second]
    assert listed(viewer, "stuck=yes&sort=-stuck_since") == [second, first]
    assert listed(viewer) == [second, first]
    assert listed(viewer, "sort=created_at") == [first, second]


def test_pages_follow_each_other_with_the_filter_kept(
    harness: HttpHarness, viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerks_page, "SHOWN", 2)
    made = [harness.opened(SERVER, customer="ada")["id"] for _ in range(5)]
    seen, query = listed(viewer, "customer=ada"), ""
    while match := re.search(r'href="/dashboard/clerks\?([^"]*)" rel="next"', viewer.page.text):
        query = match.group(1).replace("&amp;", "&")
        assert "customer=ada" in query and "cursor=" in query
        seen += listed(viewer, query)
    assert sorted(seen) == sorted(made)
    assert "First page" in viewer.page.text


def test_a_wrong_filter_is_named_at_its_field_and_the_others_stay(viewer: BrowserClient) -> None:
    page = viewer.get(f"{LIST}?older_than=soon&kind=lazy&customer=ada&shop={'x' * 201}&sort=total")
    text = visible_text_of(page.text)
    assert page.status_code == 422
    assert "seconds are needed, or a number with a unit" in text and "allowed are undo_failing, no_answer" in text
    assert "at most 200 characters" in text and "Correct the filter above" in text
    assert 'name="customer" value="ada"' in page.text and page.text.count('aria-invalid="true"') == 4


def test_moments_are_typed_in_the_readers_zone_and_stand_in_the_address_as_rfc_3339(viewer: BrowserClient) -> None:
    led = viewer.get(f"{LIST}?created_after=2026-11-30+14:00&created_before=&stuck=&zone=Europe/Berlin")
    assert (led.status_code, led.headers["location"]) == (303, f"{LIST}?created_after=2026-11-30T13%3A00%3A00.000Z")
    shown = viewer.get(led.headers["location"])
    assert shown.status_code == 200 and 'datetime="2026-11-30T13:00:00.000Z"' in shown.text
    assert viewer.get(f"{LIST}?updated_since=1h").status_code == 200, "an age stays one"


def test_a_text_that_is_no_moment_comes_back_in_its_field_with_what_is_allowed(viewer: BrowserClient) -> None:
    page = viewer.get(f"{LIST}?created_before=lately&customer=ada")
    assert page.status_code == 422 and 'name="created_before" value="lately"' in page.text
    assert "'lately' is no moment: allowed are 2 hours ago" in visible_text_of(page.text)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("customers=ada", "customers: there is no such filter: allowed are client_reference, code,"),
        ("stuck=yes&stuck=no", "stuck: it is in the address 2 times: once is allowed"),
        ("since=1h", "since: there is no such filter"),
    ],
)
def test_a_filter_that_is_unknown_or_doubled_is_named_and_nothing_is_listed(
    harness: HttpHarness, viewer: BrowserClient, query: str, said: str
) -> None:
    clerk = harness.opened(SERVER, customer="ada")["id"]
    page = viewer.get(f"{LIST}?{query}")
    assert (page.status_code, said in visible_text_of(page.text), clerk in page.text) == (422, True, False)
    assert viewer.get(f"{LIST}.csv?{query}").status_code == 422


def test_S11_a_broken_cursor_is_an_error_in_words(viewer: BrowserClient) -> None:
    page = viewer.get(f"{LIST}?cursor=%27%3B+DROP+TABLE")
    assert page.status_code == 422 and "cursor" in visible_text_of(page.text)


def test_an_empty_list_says_why_it_is_empty(viewer: BrowserClient) -> None:
    assert "There is no Clerk yet" in viewer.text(LIST)
    assert "No Clerk fits this filter" in viewer.text(f"{LIST}?customer=nobody")
    assert "Nothing is stuck that fits this filter" in viewer.text(f"{LIST}?stuck=yes")


def test_the_stuck_list_is_grouped_by_cause_with_whose_move_it_is_and_what_happens_by_itself(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    stuck_at_capture(harness)
    stuck_at_capture(harness)
    text = viewer.text(f"{LIST}?stuck=yes")
    assert "no answer at capture" in text and "standard/1 · payment · no_answer" in text
    assert "payment has not answered capture in the time it has." in text
    assert "2 €51.80" in text and "you: ask whoever runs payment whether it is up and takes messages" in text
    assert re.search(
        r"the same question goes out again, and the order goes on when it is answered; next (in \d+ s|now)", text
    )
    [link] = re.findall(r'href="/dashboard/clerks\?([^"]+)" data-line', viewer.page.text)
    assert len(listed(viewer, link.replace("&amp;", "&"))) == 2
    assert "no answer at capture" not in viewer.text(f"{LIST}?stuck=yes&kind=overdue")


def test_a_line_tells_state_place_money_and_the_next_act(harness: HttpHarness, viewer: BrowserClient) -> None:
    stuck_at_capture(harness, customer="ada", client_reference="web-7")
    text = viewer.text(LIST)
    assert re.search(
        r"web-7 ada €25.90 processing capture waits for its service no answer (\d+ s ago|now) 1 min ago clk_",
        text,
    ), text


@pytest.mark.parametrize("typed", [EVIL, TURNED, "\x1b[2J", "' OR 1=1 --", "{{ 7*7 }}"])
def test_S10_whatever_was_typed_shows_as_text(harness: HttpHarness, viewer: BrowserClient, typed: str) -> None:
    for query in ("customer", "shop", "reference", "code"):
        page = viewer.request("GET", LIST, params={query: typed})
        assert page.status_code == 200
        assert "<script>" not in page.text and "\u202e" not in page.text and "\x1b" not in page.text
        [shown] = re.findall(r"<strong><bdi>(.*?)</bdi>", page.text)
        assert unescape(shown) == plain(typed)


def test_S10_markup_in_every_field_of_a_customer_shows_as_text(harness: HttpHarness, viewer: BrowserClient) -> None:
    customer = "<img_src=x>"
    put = harness.call(
        "PUT", f"/shop/customers/{customer}", SERVER, json={"name": EVIL, "email": "a@b.test", "type": "regular"}
    )
    assert put.status_code == 200, put.text
    harness.opened(SERVER, customer=customer, client_reference=EVIL, metadata={"note": EVIL})
    for path in (LIST, f"{LIST}?customer={customer}", "/dashboard"):
        page = viewer.get(path)
        assert "<img" not in page.text and "<script>alert" not in page.text
    assert "&lt;img_src=x&gt;" in viewer.get(LIST).text


def test_the_current_filter_can_be_taken_along_as_json(harness: HttpHarness, viewer: BrowserClient) -> None:
    stuck = stuck_at_capture(harness)
    harness.opened()
    response = viewer.get(f"{LIST}.json?stuck=yes")
    assert response.headers["content-disposition"] == 'attachment; filename="clerks.json"'
    assert response.json() == {
        "data": [{**harness.get("/ops/clerks?stuck=true", "op_night").json()["data"][0], "amount": "25.90"}],
    }
    assert response.json()["data"][0]["id"] == stuck


def test_S10_the_file_for_spreadsheets_holds_no_formula(harness: HttpHarness, viewer: BrowserClient) -> None:
    for number, customer in enumerate(("=1+1", "+1", "-1", "@a", "ada")):
        harness.call("PUT", f"/shop/customers/{customer}", SERVER, json={"name": "n", "email": None, "type": "regular"})
        assert harness.opened(SERVER, customer=customer)["id"], number
    response = viewer.get(f"{LIST}.csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert {row["customer"] for row in rows} == {"'=1+1", "'+1", "'-1", "'@a", "ada"}
    assert all(row["id"].startswith("clk_") and row["status"] == "open" and row["stuck_kind"] == "" for row in rows)


def test_a_file_has_every_page_and_a_wrong_filter_makes_none(
    harness: HttpHarness, viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerks_page, "PAGE", 2)
    for _ in range(5):
        harness.opened()
    assert len(viewer.get(f"{LIST}.json").json()["data"]) == 5
    page = viewer.get(f"{LIST}.json?kind=x")
    assert page.status_code == 422 and "kind: allowed are" in visible_text_of(page.text)


def test_a_list_is_one_bounded_number_of_statements_however_many_clerks(
    harness: HttpHarness, viewer: BrowserClient
) -> None:
    def statements() -> int:
        before = harness.database.statements
        viewer.get(f"{LIST}?stuck=yes")
        return harness.database.statements - before

    stuck_at_capture(harness)
    viewer.get(LIST)
    few = statements()
    for _ in range(10):
        stuck_at_capture(harness)
    viewer.get(LIST)  # writes down that the login is used
    assert statements() == few

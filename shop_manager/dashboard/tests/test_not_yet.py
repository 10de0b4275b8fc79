"""An act that is sent when the login has ended: nothing is done, and after the login all that was typed is there."""

from __future__ import annotations

import html
import re

import pytest

from domain.times import hours
from messaging.parked import ParkedMessage, park
from shop_manager.dashboard.cookies import LOGIN as COOKIE
from shop_manager.dashboard.not_yet import held_in, is_held
from shop_manager.dashboard.pages_router import PagesRouter
from shop_manager.dashboard.tests.browser_client import BrowserClient, people, visible_text_of
from shop_manager.dashboard.tests.test_clerks_page import stuck_at_capture
from shop_manager.engine import tables
from shop_manager.main import dashboard_of
from shop_manager.operations.audit import read_audit
from shop_manager.tests.http_harness import SERVER, HttpHarness

TYPED = {
    "/dashboard/clerks/{clerk}/actions": {"action": "note", "reason": "typed with care", "version": "5"},
    "/dashboard/parked/actions": {"action": "discard", "reason": "typed with care", "pick": "prk_1@1"},
    "/dashboard/bulk": {"action": "retry", "reason": "typed with care", "stuck": "yes"},
    "/dashboard/runbooks": {"service": "risk", "link": "https://wiki.test/risk", "reason": "typed with care"},
    "/dashboard/people": {"name": "ada", "role": "viewer", "reason": "typed with care"},
}
PASSWORD = "a lamp on a table"


def admin_logged_out(harness: HttpHarness) -> tuple[BrowserClient, str]:
    """An admin whose login has ended while a form was open, and the password."""
    browser = BrowserClient(harness)
    password, _ = people(harness).add_operator("nora", "admin")
    browser.logs_in("nora", password)
    harness.now += hours(2)
    return browser, password


def acts(harness: HttpHarness) -> list[str]:
    with harness.database.read() as tx:
        return [line["action"] for line in read_audit(tx, {}, 50, None) if line["action"] not in ("login", "logout")]


@pytest.mark.parametrize("path", TYPED)
def test_after_the_login_the_form_is_back_with_what_was_typed_and_nothing_was_done(
    harness: HttpHarness, path: str
) -> None:
    address, fields = path.format(clerk=stuck_at_capture(harness)), TYPED[path]
    browser, password = admin_logged_out(harness)
    with harness.database.begin() as tx:
        park(tx, tables.technical.parked, [ParkedMessage("risk", "q", "bad", None, b"{")], tx.now())
    before = acts(harness)
    asked = browser.post(address, None, **fields)
    assert asked.status_code == 401 and "nothing was done yet" in visible_text_of(asked.text)
    assert f'action="{address}"' in asked.text
    wrong = browser.post(address, None, **fields, log_in_as="nora", log_in_with="wrong")
    assert wrong.status_code == 401 and "Name or password is wrong." in visible_text_of(wrong.text)
    assert 'value="typed with care"' in wrong.text and COOKIE not in "".join(wrong.headers.get_list("set-cookie"))
    back = browser.post(address, None, **fields, log_in_as="nora", log_in_with=password)
    text = visible_text_of(back.text)
    assert ("Nothing was done." in text or "No preview was made." in text) and "you are logged in again" in text
    assert "typed with care" in back.text and password not in back.text
    assert acts(harness) == before
    assert browser.get("/dashboard").status_code == 200


@pytest.mark.parametrize("path", TYPED)
def test_a_form_of_an_earlier_login_is_back_with_what_was_typed_and_a_token_of_now(
    harness: HttpHarness, path: str
) -> None:
    address, fields = path.format(clerk=stuck_at_capture(harness)), TYPED[path]
    old = BrowserClient(harness).logged_in("admin", "nora").token()
    browser = BrowserClient(harness).logged_in("admin", "nils")
    with harness.database.begin() as tx:
        park(tx, tables.technical.parked, [ParkedMessage("risk", "q", "bad", None, b"{")], tx.now())
    before = acts(harness)
    back = browser.post(address, None, **fields, csrf=old)
    text = visible_text_of(back.text)
    assert back.status_code == 409 and ("Nothing was done." in text or "No preview was made." in text)
    assert "of an earlier login" in text and "typed with care" in back.text
    assert browser.token() != old and acts(harness) == before
    elsewhere = browser.post(address, {"Origin": "https://evil.test"}, **fields, csrf=old)
    assert elsewhere.status_code == 403
    no_browser = browser.request("POST", address, data={**fields, "csrf": old})
    assert no_browser.status_code == 403, "who sends no origin may be anybody"


def acts_of_the_dashboard(harness: HttpHarness) -> list[str]:
    """The address of every form behind a login."""
    found = dashboard_of(harness.operations, {}, harness.desk, None, "")[-1]
    assert isinstance(found, PagesRouter)
    return [each.path for each in found.declared() if "POST" in each.methods]


ONES = {"clerk": "clk_none", "parked": "prk_none", "bulk": "blk_none", "move": "start", "alert": "alr_none",
        "name": "ada", "key": "abc", "customer": "zora"}  # fmt: skip


def test_no_form_of_an_earlier_login_does_anything_or_loses_what_was_typed(harness: HttpHarness) -> None:
    old = BrowserClient(harness).logged_in("admin", "nora").token()
    browser = BrowserClient(harness).logged_in("admin", "nils")
    typed = {"reason": "typed with care", "name": "typed with care", "service": "risk"}
    addresses = [path.format(**ONES) for path in acts_of_the_dashboard(harness)]
    assert len(addresses) >= 17
    harness.call("PUT", "/shop/customers/zora", SERVER, json={"name": "Zora"})
    with harness.database.begin() as tx:
        park(tx, tables.technical.parked, [ParkedMessage("risk", "q", "bad", None, b"{")], tx.now())
    before, lost = acts(harness), set[str]()
    for address in addresses:
        back = browser.post(address, None, csrf=old, **typed)
        if "_none" in address and back.status_code == 404:
            continue  # the page of an order, message or bulk act that does not exist
        text = visible_text_of(back.text)
        assert back.status_code == 409 and ("Nothing was done" in text or "No preview was made." in text), address
        lost |= set() if "typed with care" in back.text else {address}
        assert f'value="{browser.token()}"' in back.text and browser.token() != old
    assert acts(harness) == before and lost == NOTHING_KEPT


NOTHING_KEPT = {"/dashboard/password"}


def test_a_form_whose_page_shows_nothing_that_was_typed_is_sent_again_with_a_button(harness: HttpHarness) -> None:
    old = BrowserClient(harness).logged_in("viewer", "nora").token()
    browser = BrowserClient(harness).logged_in("viewer", "nils")
    asked = browser.post("/dashboard/views", None, csrf=old, name="late ones", query="status=processing")
    text = visible_text_of(asked.text)
    assert asked.status_code == 409 and "late ones" in text
    assert "of an earlier login" in text and "You are nils." in text
    assert "late ones" not in browser.text("/dashboard/clerks")
    browser.post("/dashboard/views", None, csrf=old, name="late ones", query="status=processing")
    done = browser.post("/dashboard/views", None, **{**hidden(browser.page.text), "csrf": browser.token()})
    assert done.status_code == 303 and "late ones" in browser.text("/dashboard/clerks")


def test_a_view_that_was_saved_when_the_login_had_ended_is_asked_for_again_after_it(harness: HttpHarness) -> None:
    browser, password = admin_logged_out(harness)
    fields = {"name": "late ones", "query": "status=processing"}
    asked = browser.post("/dashboard/views", None, **fields)
    assert asked.status_code == 401 and "nothing was done yet" in visible_text_of(asked.text)
    back = browser.post("/dashboard/views", None, **fields, log_in_as="nora", log_in_with=password)
    assert back.status_code == 409 and "you are logged in again" in visible_text_of(back.text)
    assert browser.post("/dashboard/views", None, **hidden(back.text)).status_code == 303
    assert "late ones" in browser.text("/dashboard/clerks")


def test_who_logs_out_on_a_page_of_an_earlier_login_is_logged_out(harness: HttpHarness) -> None:
    old = BrowserClient(harness).logged_in("admin", "nora").token()
    browser = BrowserClient(harness).logged_in("admin", "nils")
    assert browser.post("/dashboard/logout", {"Origin": "https://evil.test"}, csrf=old).status_code == 403
    assert browser.get("/dashboard").status_code == 200
    answer = browser.post("/dashboard/logout", csrf=old)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/login")
    assert browser.get("/dashboard").status_code == 303


def test_a_login_page_that_was_open_for_too_long_is_shown_again_or_leads_on(harness: HttpHarness) -> None:
    browser = BrowserClient(harness)
    password, _ = people(harness).add_operator("nora", "admin")
    browser.get("/dashboard/login")
    old = browser.token()
    again = browser.post("/dashboard/login", csrf="0" * 64, name="nora", password=password)
    assert again.status_code == 401 and 'value="nora"' in again.text and password not in again.text
    assert "too old" in visible_text_of(again.text) and browser.get("/dashboard").status_code == 303
    assert browser.logs_in("nora", password).status_code == 303
    on = browser.post("/dashboard/login", csrf=old, name="nora", password="another", next="/dashboard/audit")
    assert (on.status_code, on.headers["location"]) == (303, "/dashboard/audit")


def test_through_a_password_that_has_to_be_changed_first_what_was_typed_is_kept(harness: HttpHarness) -> None:
    clerk = stuck_at_capture(harness)
    address, fields = f"/dashboard/clerks/{clerk}/actions", TYPED["/dashboard/clerks/{clerk}/actions"]
    browser, _ = admin_logged_out(harness)
    first = people(harness).add_operator("ida", "admin", must_change=True)[0]
    before = acts(harness)
    browser.post(address, None, **fields)
    asked = browser.post(address, None, **fields, log_in_as="ida", log_in_with=first)
    assert asked.status_code == 403 and "Nothing was done yet. Choose the password" in visible_text_of(asked.text)
    held = hidden(asked.text)["held"]
    wrong = browser.post("/dashboard/password", old="wrong", new=PASSWORD, again=PASSWORD, held=held)
    assert wrong.status_code == 422 and hidden(wrong.text)["held"] == held
    changed = browser.post("/dashboard/password", old=first, new=PASSWORD, again=PASSWORD, held=held)
    assert changed.status_code == 200 and "Nothing was done yet" in changed.text
    back = browser.post(address, None, **hidden(changed.text))
    assert "typed with care" in back.text and "Nothing was done." in visible_text_of(back.text)
    assert [each for each in acts(harness) if each != "password"] == before


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form of a page."""
    form = page[page.index('class="stack"') :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found}


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        '["/dashboard/bulk"]',
        '["/dashboard/password", [["name", "x"]]]',
        '["/dashboard/logout", [["name", "x"]]]',
        '["/dashboard/../shop/session", [["name", "x"]]]',
        '["/dashboard/%2e%2e/shop", [["name", "x"]]]',
        '["/dashboard//evil.test", [["name", "x"]]]',
        '["/dashboard?next=x", [["name", "x"]]]',
        '["https://evil.test", []]',
        '["/dashboard/bulk", [["name", 1]]]',
        '["/dashboard/bulk", [["name"]]]',
        '[["/dashboard/bulk"], []]',
    ],
)
def test_a_text_that_holds_no_act_of_ours_holds_none(text: str | None) -> None:
    assert held_in(text) is None


def test_S8_where_an_act_was_sent_a_login_needs_the_visitors_token_too(harness: HttpHarness) -> None:
    browser, password = admin_logged_out(harness)
    address = "/dashboard/people"
    browser.post(address, None, **TYPED[address])
    fields = {**TYPED[address], "log_in_as": "nora", "log_in_with": password}
    assert browser.post(address, None, csrf="0" * 64, **fields).status_code == 401
    assert browser.post(address, {"Origin": "https://evil.test"}, **fields).status_code == 403
    assert browser.get("/dashboard").status_code == 303


def test_S2_who_guesses_where_an_act_was_sent_is_slowed_down(harness: HttpHarness) -> None:
    browser, _ = admin_logged_out(harness)
    address = "/dashboard/people"
    browser.post(address, None, **TYPED[address])
    fields = {**TYPED[address], "log_in_as": "nora", "log_in_with": "wrong"}
    texts = [visible_text_of(browser.post(address, None, **fields).text) for _ in range(7)]
    assert "Too many tries. Wait" in texts[-1]


def test_a_change_of_a_password_is_never_held(harness: HttpHarness) -> None:
    browser, _ = admin_logged_out(harness)
    response = browser.post("/dashboard/password", old=PASSWORD, new=PASSWORD, again=PASSWORD)
    assert response.status_code == 303 and not is_held("/dashboard/password") and is_held("/dashboard/views")


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/dashboard/parked/actions", "/dashboard/parked"),
        ("/dashboard/parked/prk_1/actions", "/dashboard/parked/prk_1"),
        ("/dashboard/clerks/clk_1/actions", "/dashboard/clerks/clk_1"),
        ("/dashboard/bulk/blk_1/start", "/dashboard/bulk/blk_1"),
        ("/dashboard/bulk/blk_1/stop", "/dashboard/bulk/blk_1"),
        ("/dashboard/people/ada/actions", "/dashboard/people"),
        ("/dashboard/people/keys", "/dashboard/people"),
        ("/dashboard/people/keys/abc/actions", "/dashboard/people"),
        ("/dashboard/views", "/dashboard/clerks"),
        ("/dashboard/views/remove", "/dashboard/views"),
        ("/dashboard/logout", "/dashboard/login"),
    ],
)
def test_the_address_of_an_act_leads_to_its_form_when_it_is_asked_for(
    admin: BrowserClient, address: str, page: str
) -> None:
    response = admin.get(address)
    assert (response.status_code, response.headers["location"]) == (303, page)

"""The pages of admins: acts on many with preview, pace and stop (O4), and people and keys, whose secrets show once."""

from __future__ import annotations

import re
from typing import Any

from http_api.keys import KeyRing
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.operations.acts import Acts
from shop_manager.operations.bulk_run import BulkRun
from shop_manager.operations.parked_acts import ParkedActs
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read, stuck_one

BULK, PEOPLE = "/dashboard/bulk", "/dashboard/people"
FIELDS: dict[str, Any] = {"action": "retry", "stuck": "yes", "reason": "payment is back"}


def previewed(browser: BrowserClient, **fields: Any) -> str:
    """Makes a preview; returns its path, and has its page open."""
    browser.get(BULK)
    response = browser.post(BULK, **{**FIELDS, **fields})
    assert response.status_code == 303, visible_text_of(response.text)
    browser.get(response.headers["location"])
    return str(response.headers["location"])


def runs(harness: HttpHarness, ticks: int) -> None:
    run = BulkRun(Acts(harness.sessions), ParkedActs(harness.sessions))
    for _ in range(ticks):
        run.tick()
        harness.now += 1000


def test_O4_a_preview_freezes_the_list_with_count_and_money_and_does_nothing(
    harness: HttpHarness, admin: BrowserClient
) -> None:
    first, second = stuck_one(harness), stuck_one(harness)
    path = previewed(admin)
    text = admin.text(path)
    assert "Ask again now: 2 orders, €51.80 in all" in text and "preview, not started" in text
    assert first in text and second in text and text.count("may be done") == 2
    assert all(read(harness, f"clerks/{clerk}")["stuck"] for clerk in (first, second))


def test_O4_it_runs_paced_skips_what_changed_and_tells_each_outcome(harness: HttpHarness, admin: BrowserClient) -> None:
    clerks = [stuck_one(harness) for _ in range(3)]
    path = previewed(admin)
    operator = BrowserClient(harness).logged_in("operator", "nora")
    operator.get(f"/dashboard/clerks/{clerks[0]}")
    note: dict[str, Any] = {"action": "note", "reason": "mine", "version": operator.version()}
    assert operator.post(f"/dashboard/clerks/{clerks[0]}/actions", **note).status_code == 303
    assert admin.post(f"{path}/start", per_minute="60").status_code == 303
    runs(harness, 1)
    assert "running Of 3: 1 asked, not answered yet, 2 not asked yet, 60 a minute" in admin.text(path)
    assert admin.post(f"{path}/stop").status_code == 303
    runs(harness, 3)
    assert "stopped Of 3: 1 asked, not answered yet, 2 not asked yet" in admin.text(path)
    assert "/stop" not in admin.page.text, "only what runs can be stopped"
    admin.post(f"{path}/start", per_minute="60")
    runs(harness, 2)
    asked = "all asked, waiting for answers Of 3: 1 changed meanwhile, 2 asked, not answered yet"
    assert asked in admin.text(path)
    assert "/start" not in admin.page.text and "/stop" not in admin.page.text
    for command in harness.sent():
        harness.answers(command)
    runs(harness, 3)
    assert "finished Of 3: 2 healed, 1 changed meanwhile" in admin.text(path)
    text = admin.text("/dashboard/audit")
    assert "Ask again now in bulk" in text and "3 items: 2 healed, 1 changed meanwhile" in text
    assert text.count(clerks[1]) == 1 and "Every line of it" in text, "one line, with its items inside"
    assert admin.text(f"/dashboard/audit?bulk={path.rpartition('/')[2]}").count("retry") >= 3


def test_O4_a_preview_says_to_whom_the_act_is_not_allowed_and_what_is_for_good_looks_so(
    harness: HttpHarness, admin: BrowserClient
) -> None:
    late, early = stuck_one(harness), harness.opened()["id"]
    text = admin.text(previewed(admin, action="undo", stuck=""))
    assert "Stop and undo: 1 of 2 orders" in text and late in text and early in text
    assert text.count("may be done") == 1 and "not allowed the order is past the point of no return" in text
    assert "For good: what is done cannot be taken back." in text
    assert re.search(r'<button type="submit" class="grave"[^>]*>Start: stop and undo<', admin.page.text)


def test_a_wrong_request_for_many_is_told_and_nothing_typed_is_lost(harness: HttpHarness, admin: BrowserClient) -> None:
    admin.get(BULK)
    text = visible_text_of(admin.post(BULK, **{**FIELDS, "reason": " ", "customer": "ada"}).text)
    assert "No preview was made." in text and "a blank text says nothing" in text
    assert 'value="ada"' in admin.page.text
    path = previewed(admin, customer="nobody")
    assert "Nothing fits" in admin.text(path)
    stuck_one(harness)
    path = previewed(admin)
    assert "Nothing was done." in visible_text_of(admin.post(f"{path}/start", per_minute="0").text)
    assert "It cannot stop: it is preview." in visible_text_of(admin.post(f"{path}/stop").text)


def test_a_filter_of_the_list_is_taken_over(admin: BrowserClient) -> None:
    page = admin.get(f"{BULK}?stuck=yes&kind=no_answer&step=capture").text
    assert 'name="stuck" value="yes" checked' in page
    assert '<option value="no_answer" selected>' in page and '<option value="capture" selected>' in page


def test_who_is_no_admin_may_look_at_bulk_acts_and_the_server_refuses_the_rest(
    harness: HttpHarness, operator: BrowserClient
) -> None:
    admin = BrowserClient(harness).logged_in("admin")
    stuck_one(harness)
    path = previewed(admin)
    assert "Admins may start and stop it." in operator.text(path) and "/start" not in operator.page.text
    for target in (BULK, f"{path}/start", f"{path}/stop"):
        assert operator.post(target, **FIELDS).status_code == 403
    lines = read(harness, "audit?who=operator-of-the-night")["data"]
    assert [line["outcome"] for line in lines if line["action"] != "login"] == ["forbidden"] * 3


def test_S2_a_new_persons_password_opens_the_door_and_shows_once(harness: HttpHarness, admin: BrowserClient) -> None:
    admin.get(PEOPLE)
    page = admin.post(PEOPLE, name="nora", role="operator", reason="new on the shift").text
    found = re.search(r"<dt>Password</dt><dd><code>([^<]+)</code>", page)
    assert found and BrowserClient(harness).logs_in("nora", found.group(1)).status_code == 303
    assert found.group(1) not in admin.get(PEOPLE).text
    text = visible_text_of(admin.post(PEOPLE, name="nora", role="viewer", reason="again").text)
    assert "Nothing was done." in text and "There is a person called nora already." in text


def test_S9_a_persons_role_and_end_are_decided_with_a_reason(harness: HttpHarness, admin: BrowserClient) -> None:
    nora = BrowserClient(harness).logged_in("operator", "nora")
    admin.get(PEOPLE)
    path = f"{PEOPLE}/nora/actions"
    assert "nora is viewer now." in visible_text_of(admin.post(path, action="role", role="viewer", reason="asked").text)
    assert nora.get("/dashboard").status_code == 303
    assert "New password" in admin.page.text
    assert "nora is disabled: nothing opens any more." in visible_text_of(
        admin.post(path, action="disable", reason="left").text
    )
    text = visible_text_of(admin.post(f"{PEOPLE}/admin-of-the-night/actions", action="disable", reason="oops").text)
    assert "Nobody else is an admin" in text


def test_S2_a_key_is_made_shown_once_and_revoked(admin: BrowserClient) -> None:
    admin.get(PEOPLE)
    page = admin.post(f"{PEOPLE}/keys", scope="server", name="web shop", reason="a second one").text
    key = re.search(r"<code>(sk_[a-z]{12}_[^<]+)</code>", page)
    assert key and key.group(1) not in admin.get(PEOPLE).text
    name = key.group(1).split("_")[1]
    text = visible_text_of(admin.post(f"{PEOPLE}/keys/{name}/actions", action="revoke", reason="leaked").text)
    assert f"The key {name} is revoked" in text and "revoked now" in text


def test_the_page_says_until_when_a_key_is_good_and_when_it_was_used(
    harness: HttpHarness, admin: BrowserClient
) -> None:
    admin.get(PEOPLE)
    made: dict[str, Any] = {"scope": "server", "name": "for a while", "reason": "a migration"}
    page = admin.post(f"{PEOPLE}/keys", **made, expires_in_days="30").text
    key = re.search(r"<code>(sk_[a-z]{12}_[^<]+)</code>", page)
    text = admin.text(PEOPLE)
    assert key and ", expires 20" in text and ", not used yet" in text
    assert KeyRing(harness.database).check(key.group(1))
    assert ", last used now" in admin.text(PEOPLE)
    assert "at least 1 is allowed" in visible_text_of(admin.post(f"{PEOPLE}/keys", **made, expires_in_days="0").text)
    assert "expires_in_days: a whole number is needed (is 'soon')" in visible_text_of(
        admin.post(f"{PEOPLE}/keys", **made, expires_in_days="soon").text
    )


def test_people_and_keys_are_for_admins_alone(operator: BrowserClient) -> None:
    assert operator.get(PEOPLE).status_code == 403
    assert 'href="/dashboard/people"' not in operator.page.text
    for target in (PEOPLE, f"{PEOPLE}/nora/actions", f"{PEOPLE}/keys", f"{PEOPLE}/keys/a/actions"):
        assert operator.post(target, action="disable", name="x", role="admin", reason="let me").status_code == 403

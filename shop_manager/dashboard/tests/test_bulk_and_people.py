"""The pages of admins: acts on many with preview, pace and stop (O4), and people and keys, whose secrets show once."""

from __future__ import annotations

import re
from typing import Any

from shop_manager.dashboard.tests.visitor import Visitor, words_of
from shop_manager.operations.acts import Acts
from shop_manager.operations.bulk_run import BulkRun
from shop_manager.operations.parked_acts import ParkedActs
from shop_manager.tests.house import House
from shop_manager.tests.test_ops import read, stuck_one

BULK, PEOPLE = "/dashboard/bulk", "/dashboard/people"
FIELDS: dict[str, Any] = {"action": "retry", "stuck": "yes", "reason": "payment is back"}


def previewed(visitor: Visitor, **fields: Any) -> str:
    """Makes a preview; returns its path, and has its page open."""
    visitor.get(BULK)
    answer = visitor.post(BULK, **{**FIELDS, **fields})
    assert answer.status_code == 303, words_of(answer.text)
    visitor.get(answer.headers["location"])
    return str(answer.headers["location"])


def runs(house: House, ticks: int) -> None:
    run = BulkRun(Acts(house.sessions), ParkedActs(house.sessions))
    for _ in range(ticks):
        run.tick()
        house.now += 1000


def test_O4_a_preview_freezes_the_list_with_count_and_money_and_does_nothing(house: House, admin: Visitor) -> None:
    first, second = stuck_one(house), stuck_one(house)
    path = previewed(admin)
    told = admin.text(path)
    assert "Ask again now: 2 orders, €51.80 in all" in told and "preview, not started" in told
    assert first in told and second in told and told.count("waiting") == 2
    assert all(read(house, f"clerks/{clerk}")["stuck"] for clerk in (first, second))


def test_O4_it_runs_paced_skips_what_changed_and_tells_each_outcome(house: House, admin: Visitor) -> None:
    clerks = [stuck_one(house) for _ in range(3)]
    path = previewed(admin)
    operator = Visitor(house).logged_in("operator", "nora")
    operator.get(f"/dashboard/clerks/{clerks[0]}")
    seen = re.search(r'name="version" value="(\d+)"', operator.page.text)
    note: dict[str, Any] = {"action": "note", "reason": "mine", "version": seen.group(1) if seen else ""}
    assert operator.post(f"/dashboard/clerks/{clerks[0]}/actions", **note).status_code == 303
    assert admin.post(f"{path}/start", per_minute="60").status_code == 303
    runs(house, 1)
    assert "1 of 3" in admin.text(path)
    assert admin.post(f"{path}/stop").status_code == 303
    runs(house, 3)
    assert "1 of 3" in admin.text(path) and "stopped" in admin.text(path)
    admin.post(f"{path}/start", per_minute="60")
    runs(house, 4)
    told = admin.text(path)
    assert "3 of 3 : 2 done, 1 skipped" in told.replace("3 of 3:", "3 of 3 :") and "finished" in told
    assert "/start" not in admin.page.text and "/stop" not in admin.page.text


def test_a_wrong_request_for_many_is_told_and_nothing_typed_is_lost(house: House, admin: Visitor) -> None:
    admin.get(BULK)
    told = words_of(admin.post(BULK, **{**FIELDS, "reason": " ", "customer": "ada"}).text)
    assert "No preview was made." in told and "a blank text says nothing" in told
    assert 'value="ada"' in admin.page.text
    path = previewed(admin, customer="nobody")
    assert "Nothing fits" in admin.text(path)
    stuck_one(house)
    path = previewed(admin)
    assert "Nothing was done." in words_of(admin.post(f"{path}/start", per_minute="0").text)
    assert "It cannot stop: it is preview." in words_of(admin.post(f"{path}/stop").text)


def test_a_filter_of_the_list_is_taken_over(admin: Visitor) -> None:
    page = admin.get(f"{BULK}?stuck=yes&kind=no_answer&step=capture").text
    assert 'name="stuck" value="yes" checked' in page
    assert '<option value="no_answer" selected>' in page and '<option value="capture" selected>' in page


def test_who_is_no_admin_may_look_at_bulk_acts_and_the_server_refuses_the_rest(house: House, operator: Visitor) -> None:
    admin = Visitor(house).logged_in("admin")
    stuck_one(house)
    path = previewed(admin)
    assert "Admins may start and stop it." in operator.text(path) and "/start" not in operator.page.text
    for target in (BULK, f"{path}/start", f"{path}/stop"):
        assert operator.post(target, **FIELDS).status_code == 403
    outcomes = [line["outcome"] for line in read(house, "audit?who=operator-of-the-night")["data"]]
    assert outcomes == ["forbidden"] * 3


def test_S2_a_new_persons_password_opens_the_door_and_shows_once(house: House, admin: Visitor) -> None:
    admin.get(PEOPLE)
    page = admin.post(PEOPLE, name="nora", role="operator", reason="new on the shift").text
    found = re.search(r"<dt>Password</dt><dd><code>([^<]+)</code>", page)
    assert found and Visitor(house).logs_in("nora", found.group(1)).status_code == 303
    assert found.group(1) not in admin.get(PEOPLE).text
    told = words_of(admin.post(PEOPLE, name="nora", role="viewer", reason="again").text)
    assert "Nothing was done." in told and "There is a person called nora already." in told


def test_S9_a_persons_role_and_end_are_decided_with_a_reason(house: House, admin: Visitor) -> None:
    nora = Visitor(house).logged_in("operator", "nora")
    admin.get(PEOPLE)
    path = f"{PEOPLE}/nora/actions"
    assert "nora is viewer now." in words_of(admin.post(path, action="role", role="viewer", reason="asked").text)
    assert nora.get("/dashboard").status_code == 303
    assert "New password" in admin.page.text
    assert "nora is disabled: nothing opens any more." in words_of(
        admin.post(path, action="disable", reason="left").text
    )
    told = words_of(admin.post(f"{PEOPLE}/admin-of-the-night/actions", action="disable", reason="oops").text)
    assert "Nobody else is an admin" in told


def test_S2_a_key_is_made_shown_once_and_revoked(admin: Visitor) -> None:
    admin.get(PEOPLE)
    page = admin.post(f"{PEOPLE}/keys", scope="server", name="web shop", reason="a second one").text
    key = re.search(r"<code>(sk_[a-z]{12}_[^<]+)</code>", page)
    assert key and key.group(1) not in admin.get(PEOPLE).text
    name = key.group(1).split("_")[1]
    told = words_of(admin.post(f"{PEOPLE}/keys/{name}/actions", action="revoke", reason="leaked").text)
    assert f"The key {name} is revoked" in told and "revoked now" in told


def test_people_and_keys_are_for_admins_alone(operator: Visitor) -> None:
    assert operator.get(PEOPLE).status_code == 403
    assert 'href="/dashboard/people"' not in operator.page.text
    for target in (PEOPLE, f"{PEOPLE}/nora/actions", f"{PEOPLE}/keys", f"{PEOPLE}/keys/a/actions"):
        assert operator.post(target, action="disable", name="x", role="admin", reason="let me").status_code == 403

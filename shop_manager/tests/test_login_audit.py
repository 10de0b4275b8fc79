"""Logins in the audit: who, from which network, with what outcome; nobody fills it by guessing (security S2, S9)."""

from __future__ import annotations

import pytest

from http_api.principals import Principal
from http_api.request import address_prefix
from shop_manager.dashboard.tests.browser_client import BrowserClient, people
from shop_manager.operations.login_audit import MOST, SINGLE, LoginAudit, Refusal
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read


def lines(harness: HttpHarness, query: str = "") -> list[tuple[str, ...]]:
    """(who, action, target, outcome, detail) of each line, the latest first."""
    return [
        (line["who"], line["action"], line["target"], line["outcome"], line["detail"])
        for line in read(harness, f"audit?limit=200{query}")["data"]
    ]


def test_S9_logins_and_logouts_are_in_the_audit_with_the_network_they_came_from(harness: HttpHarness) -> None:
    password, _ = people(harness).add_operator("Nora", "operator")
    browser = BrowserClient(harness, address="2001:db8:1:2:3::4")
    browser.logs_in("nora", "wrong")
    browser.logs_in("NORA", password)
    browser.get("/dashboard/keys")
    browser.post("/dashboard/logout")
    assert lines(harness) == [
        ("Nora", "logout", "person:Nora", "done", "from 2001:db8:1::/48"),
        ("Nora", "login", "person:Nora", "done", "from 2001:db8:1::/48"),
        ("nobody", "login", "person:Nora", "unauthorized", "wrong password, from 2001:db8:1::/48"),
    ]


def test_S9_what_was_typed_as_an_unknown_name_is_not_kept(harness: HttpHarness) -> None:
    BrowserClient(harness).logs_in("my-secret-password-in-the-wrong-field", "x")
    [line] = lines(harness)
    assert line == ("nobody", "login", "person:", "unauthorized", "unknown name, from 203.0.113.0/24")


def test_S9_a_disabled_persons_try_says_so_in_the_audit_and_not_to_them(harness: HttpHarness) -> None:
    password, _ = people(harness).add_operator("gone", "operator")
    with harness.database.begin() as tx:
        gone = people(harness).find_within(tx, "gone")
        assert gone is not None
        people(harness).disable_within(tx, gone)
    response = BrowserClient(harness).logs_in("gone", password)
    assert response.status_code == 401 and "disabled" not in response.text
    assert lines(harness)[0][4] == "disabled, from 203.0.113.0/24"


def test_S2_however_much_is_guessed_the_audit_grows_by_a_few_lines(harness: HttpHarness) -> None:
    now = 0.0
    audit = LoginAudit(harness.database, lambda: now)
    for number in range(500):
        name = f"name-{number % 50}" if number % 2 else None
        audit.refused(Refusal(name, "unauthorized", "wrong password"), "203.0.113.0/24")
        audit.throttled(Refusal(None, "too_many_requests", "tried too often"))
    assert len(lines(harness)) == SINGLE.burst
    audit.sum_up()
    summed = lines(harness)[: -int(SINGLE.burst)]
    assert len(summed) <= MOST + 1
    counted = [int(detail.partition(" ")[0]) for _, _, _, _, detail in summed]
    assert sum(counted) == 500 - SINGLE.burst + 500
    audit.sum_up()
    assert len(lines(harness)) == len(summed) + SINGLE.burst, "and what is told once is not told again"
    now = 61.0
    audit.refused(Refusal("ada", "unauthorized", "wrong password"), "203.0.113.0/24")
    assert lines(harness)[0][2] == "person:ada", "a single one later is a line again"


def test_S2_a_throttled_login_is_counted_and_is_no_line(harness: HttpHarness) -> None:
    people(harness).add_operator("ada", "viewer")
    browser = BrowserClient(harness)
    for _ in range(9):
        browser.logs_in("ada", "wrong")
    assert [line[3] for line in lines(harness)] == ["unauthorized"] * 5
    harness.operations.login_audit.sum_up()
    assert lines(harness)[0] == ("nobody", "login", "person:", "too_many_requests", "4 more: tried too often")


@pytest.mark.parametrize("asked", ["nora", "Nora", "NORA", "no%E2%80%8Bra"])
def test_S9_the_audit_is_looked_up_by_name_however_it_is_written(harness: HttpHarness, asked: str) -> None:
    people(harness).add_operator("Nora", "operator")
    audit = LoginAudit(harness.database)
    audit.done(Principal("operator", "operator", "Nora"), "login", "203.0.113.0/24")
    audit.done(Principal("operator", "operator", "oidc:4711 Nora"), "login", "203.0.113.0/24")
    assert [line[0] for line in lines(harness, f"&who={asked}")] == ["Nora"]
    assert [line[2] for line in lines(harness, f"&target=person:{asked}")] == ["person:Nora"]


def test_S9_lines_of_older_versions_are_found_too(harness: HttpHarness) -> None:
    people(harness).add_operator("Nora", "operator")
    with harness.database.begin() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO audit (at, who, role, action, target, reason, outcome, detail) "
            "VALUES (1, 'Nora', 'operator', 'note', 'clerk:clk_1', 'a call', 'done', '')"
        )
    assert [line[0] for line in lines(harness, "&who=NORA")] == ["Nora"]


def test_S9_somebody_of_a_provider_is_found_by_their_subject_whatever_they_are_called_now(harness: HttpHarness) -> None:
    audit = LoginAudit(harness.database)
    for shown in ("oidc:4711 Nora Müller", "oidc:4711 Nora Šćř", "oidc:47112 Eve"):
        audit.done(Principal("operator", "viewer", shown), "login", "203.0.113.0/24")
    assert [line[0] for line in lines(harness, "&who=oidc:4711")] == ["oidc:4711 Nora Šćř", "oidc:4711 Nora Müller"]


@pytest.mark.parametrize(
    ("client", "prefix"),
    [
        (("203.0.113.77", 1), "203.0.113.0/24"),
        (("::ffff:203.0.113.77", 1), "203.0.113.0/24"),
        (("2001:db8:1:2:3::4", 1), "2001:db8:1::/48"),
        (("fe80::1%eth0", 1), "fe80::/48"),
        (("testclient", 1), "an unknown address"),
        (None, "an unknown address"),
    ],
)
def test_a_network_is_kept_and_no_address(client: object, prefix: str) -> None:
    assert address_prefix({"type": "http", "client": client}) == prefix

"""Saved views that are shared: everybody sees them, and only who saved one or an admin changes it."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager.sessions import listing
from shop_manager.sessions.listing import NEWEST, Filter, count_of
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import read

NIGHT, DAY, BOSS = "op_night", "op_day", "op_boss"


def save(harness: HttpHarness, key: str, name: str, query: str, **more: Any) -> int:
    return harness.call("POST", "/ops/views", key, json={"name": name, "query": query, **more}).status_code


def seen(harness: HttpHarness, key: str) -> list[tuple[str, str, str, bool]]:
    lines = harness.get("/ops/views", key).json()["data"]
    return [(line["owner"], line["name"], line["query"], line["shared"]) for line in lines]


def forget(harness: HttpHarness, key: str, path: str) -> int:
    return harness.call("DELETE", f"/ops/views/{path}", key).status_code


def test_a_shared_view_is_seen_by_all_after_ones_own(harness: HttpHarness) -> None:
    assert save(harness, NIGHT, "stuck", "stuck=yes", shared=True) == 200
    assert save(harness, NIGHT, "mine", "status=open") == 200
    assert save(harness, DAY, "stuck", "stuck=yes&kind=overdue") == 200
    own = [("night", "mine", "status=open", False), ("night", "stuck", "stuck=yes", True)]
    assert seen(harness, NIGHT) == own
    assert seen(harness, DAY) == [("day", "stuck", "stuck=yes&kind=overdue", False), own[1]]
    assert save(harness, NIGHT, "stuck", "stuck=yes&code=x") == 200
    assert seen(harness, BOSS) == [("night", "stuck", "stuck=yes&code=x", True)], "it stays shared"
    assert save(harness, NIGHT, "stuck", "stuck=yes", shared=False) == 200
    assert seen(harness, BOSS) == []


def test_only_the_owner_or_an_admin_changes_or_forgets_it(harness: HttpHarness) -> None:
    save(harness, NIGHT, "stuck", "stuck=yes", shared=True)
    assert save(harness, DAY, "stuck", "stuck=no", owner="night") == 403
    assert forget(harness, DAY, "stuck?owner=night") == 403
    assert forget(harness, DAY, "stuck") == 404
    assert seen(harness, NIGHT) == [("night", "stuck", "stuck=yes", True)]
    assert save(harness, BOSS, "stuck", "stuck=no", owner="night") == 200
    assert seen(harness, NIGHT) == [("night", "stuck", "stuck=no", True)]
    assert forget(harness, BOSS, "stuck?owner=night") == 204
    assert seen(harness, NIGHT) == []
    audit = read(harness, "audit?target=view:night/stuck")["data"]
    told = [(line["who"], line["action"], line["outcome"]) for line in audit]
    assert told == [("boss", "remove_view", "done"), ("boss", "save_view", "done"), ("day", "remove_view", "forbidden"),
                    ("day", "save_view", "forbidden")]  # fmt: skip


def test_what_somebody_keeps_for_themselves_is_no_business_of_an_admins(harness: HttpHarness) -> None:
    save(harness, NIGHT, "mine", "stuck=yes")
    assert save(harness, BOSS, "mine", "stuck=no", owner="night") == 404
    assert forget(harness, BOSS, "mine?owner=night") == 404
    assert save(harness, BOSS, "new", "stuck=no", owner="night", shared=True) == 404
    assert seen(harness, NIGHT) == [("night", "mine", "stuck=yes", False)]


def test_a_count_reads_no_more_than_a_page_and_says_so(harness: HttpHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        harness.opened(SERVER, customer="ada" if number else "grace")

    def count(wanted: Filter, most: int = 1_000) -> tuple[int, bool]:
        with harness.database.read() as tx:
            return count_of(tx, wanted, NEWEST, most=most, first_steps=harness.sessions.first_steps)

    assert count(Filter()) == (6, False)
    assert count(Filter(), most=6) == (6, False)
    assert count(Filter(), most=5) == (5, True)
    assert count(Filter(customer="ada")) == (5, False)
    assert count(Filter(shop="squeaky-toys")) == (6, False)
    monkeypatch.setattr(listing, "SCAN", 4)
    assert count(Filter(shop="squeaky-toys")) == (4, True), "four were looked at, and there are more"
    assert count(Filter(shop="elsewhere")) == (0, True)
    monkeypatch.setattr(listing, "SCAN", 6)
    assert count(Filter(shop="squeaky-toys")) == (6, False)

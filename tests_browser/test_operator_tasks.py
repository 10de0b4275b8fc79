"""The tasks of an operator take as few clicks as docs/benchmarks.md tells, and the script that measures them runs."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from clerk_cli.tests.faults_shop import faulty_shop
from scripts.measure_dashboard import measured, tables
from tests_browser.operator_tasks import SOON_STUCK

TASKS = {
    "heal 1, to the last one": (2, 0),
    "heal 3, to the last one": (3, 0),
    "undo by the shop's reference": (2, 2),
    "find a customer by e-mail": (0, 2),
    "find an order by half an id": (0, 2),
    "see what has changed in the last hour": (2, 0),
}
"""Clicks and single keys."""


def test_each_task_takes_so_many_clicks_and_keys_and_each_page_is_weighed(browser: Browser, tmp_path: Path) -> None:
    with faulty_shop(tmp_path, **SOON_STUCK) as shop:
        tasks, pages = measured(shop, browser, orders=3, times=1)
    assert {each.task: (each.clicks, each.keys) for each in tasks} == TASKS
    assert all(each.seconds > 0 for each in tasks)
    assert all(each.html_bytes > 1_000 and each.other_bytes > 1_000 and each.loaded_ms > 0 for each in pages)
    told = tables(tasks, pages)
    assert "| heal 3, to the last one | 3 | 0 |" in told and "| `/dashboard/clerks/{order}` |" in told

"""Measures an operator's tasks on the dashboard, and what its pages weigh: `python scripts/measure_dashboard.py`.

It starts a `clerk up --faults` of its own, plays each task in this machine's Chromium, opens each page several times,
and prints two tables, as Markdown; with `--json` everything as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from playwright.sync_api import Browser, expect  # noqa: E402  needs the line above

from benchmarks.machine import machine  # noqa: E402  as above
from benchmarks.text_table import markdown_table, number  # noqa: E402  as above
from clerk_cli.tests.faults_shop import FaultyShop, faulty_shop  # noqa: E402  as above
from tests_browser.browser_sessions import LIMIT_MS, BrowserSessions  # noqa: E402  as above
from tests_browser.chromium import chromium, installed  # noqa: E402  as above
from tests_browser.operator_tasks import PAGES, SOON_STUCK, PageFigures, TaskFigures, play, weigh  # noqa: E402  as above

PARTED = "\n\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int, default=52, help="stuck orders that are healed together")
    arguments.add_argument("--times", type=int, default=7, help="how often each page is opened")
    arguments.add_argument("--json", action="store_true", help="print JSON instead of tables")
    wanted = arguments.parse_args()
    program = installed()
    if program is None:
        sys.exit("chromium is needed: install this package")
    where = machine()
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium(program) as browser,
        faulty_shop(Path(folder), **SOON_STUCK) as shop,
    ):
        tasks, pages = measured(shop, browser, wanted.orders, wanted.times)
    found = {"tasks": [each._asdict() for each in tasks], "pages": [each._asdict() for each in pages]}
    head = f"{where['cores']} cores, load {where['load_before']} before"
    as_json = json.dumps({"machine": where, **found})
    sys.stdout.write(f"{as_json if wanted.json else f'{head}{PARTED}{tables(tasks, pages)}'}\n")


def measured(
    shop: FaultyShop, browser: Browser, orders: int, times: int
) -> tuple[list[TaskFigures], list[PageFigures]]:
    """Tasks first: then pages have something to show."""
    expect.set_options(timeout=LIMIT_MS)
    page = BrowserSessions(browser, shop).open_page("admin")
    tasks = play(shop, page, orders)
    paths = (*PAGES, f"/dashboard/clerks/{shop.opened[-1]}", "/dashboard/customers/ada")
    return tasks, weigh(page, paths, times)


def tables(tasks: Sequence[TaskFigures], pages: Sequence[PageFigures]) -> str:
    of_tasks = [(each.task, str(each.clicks), str(each.keys), number(each.seconds)) for each in tasks]
    of_pages = [
        (f"`{_named(each.path)}`", number(each.html_bytes / 1000), number(each.first_byte_ms), number(each.loaded_ms))
        for each in pages
    ]
    files = max(each.other_bytes for each in pages) / 1000
    return PARTED.join(
        [
            markdown_table(("task", "clicks", "keys", "seconds"), of_tasks),
            markdown_table(("page", "HTML, kB", "first byte, ms", "loaded, ms"), of_pages),
            f"Styles and scripts: {number(files)} kB at most, once.",
        ]
    )


def _named(path: str) -> str:
    """An order's id differs each time."""
    return "/dashboard/clerks/{order}" if path.startswith("/dashboard/clerks/clk_") else path


if __name__ == "__main__":
    main()

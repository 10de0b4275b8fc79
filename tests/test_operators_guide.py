"""docs/operators.md tells the truth: each kind of trouble is made in a running shop, and the page's commands heal it.

The shop asks again only after a minute: what goes on at once does so because of the command.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from clerk_cli.tests.faults_shop import FaultyShop, faulty_shop
from clerk_cli.tests.processes import LIMIT, ROOT
from shop_manager.dashboard.help_page import GUIDE, anchor, as_html
from shop_manager.saga.state import StuckKind
from tests.pages import URL_ON_PAGES, as_pattern, blocks, executed

PAGE = (ROOT / "docs" / GUIDE).read_text()
KINDS: tuple[StuckKind, ...] = get_args(StuckKind)
PATIENT = {
    "CLERK_RESEND_FIRST": "60",
    "CLERK_RESEND_MOST": "60",
    "CLERK_UNDO_TRIES": "1",
    "CLERK_STEP_LIMIT_FACTOR": "0.2",
}
"""An undo that has failed once counts as failing; what may take a minute may take 12 s."""
MARK = "=== next block ==="


def chapter(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


class Terminal:
    """An operator's terminal: runs what stands on the page, after the lines that the page begins with."""

    def __init__(self, shop: FaultyShop) -> None:
        folder = shop.data.parent
        (folder / ".clerk").symlink_to("data")
        script = folder / "clerk"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clerk_cli "$@"\n')
        script.chmod(0o755)
        self.folder, self.url = folder, shop.url

    def prints(self, block: str, shown: str, clerk: str = "") -> None:
        """The block prints what is shown behind it."""
        first = "".join(content for content, _ in executed(chapter("The first five minutes")))
        script = f"CLERK={clerk}\n{first}\necho '{MARK}'\n{block}".replace(URL_ON_PAGES, self.url)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
        paths = {"PYTHONPATH": str(ROOT), "PATH": f"{self.folder}{os.pathsep}{kept['PATH']}"}
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder, env=kept | paths | {"NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
        assert (run.returncode, run.stderr) == (0, ""), f"{block}\nfails: {run.stdout}{run.stderr}"
        printed = run.stdout.partition(f"{MARK}\n")[2]
        printed = printed if not printed or printed.endswith("\n") else f"{printed}\n"
        assert re.fullmatch(as_pattern(shown), printed), f"{block}\nprints\n{printed}\nnot\n{shown}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultyShop, Terminal]]:
    if shutil.which("curl") is None and os.environ.get("CI") != "true":
        pytest.skip("the page's commands need curl")
    with faulty_shop(tmp_path_factory.mktemp("guide"), **PATIENT) as shop:
        yield shop, Terminal(shop)


def undo_failing(shop: FaultyShop, count: int) -> list[str]:
    shop.put("fulfillment", "fail_undo", step="stock")
    return [shop.order("tok_capture_refused") for _ in range(count)]


def no_answer(shop: FaultyShop, count: int) -> list[str]:
    shop.put("payment", "drop_replies", step="capture")
    return [shop.order() for _ in range(count)]


def overdue(shop: FaultyShop, count: int) -> list[str]:
    shop.put("risk", "refuse", step="settle")
    return [shop.order() for _ in range(count)]


def parked_message(shop: FaultyShop, count: int) -> list[str]:
    shop.put("payment", "drop_replies", step="capture")
    orders = [shop.order() for _ in range(count)]
    for order in orders:
        shop.reaches(order, "capture", "asked")
        shop.send_raw("payment", f'[{{"kind": "command", "id": "{order}/capture/1/do"}}]'.encode())
    return orders


def unsupported(shop: FaultyShop, count: int) -> list[str]:
    shop.put("risk", "unsupported", step="credit", name="ReserveCredit")
    return [shop.order() for _ in range(count)]


class Trouble(NamedTuple):
    """How it is made, for so many orders, and how each ends after its block; None: it was only looked at."""

    make: Callable[[FaultyShop, int], Sequence[str]]
    ends: Sequence[str | None]


TROUBLES = {
    "undo_failing": Trouble(undo_failing, (None, "failed", "failed")),
    "no_answer": Trouble(no_answer, (None, "completed", "completed")),
    "overdue": Trouble(overdue, (None, "completed", "completed")),
    "parked_message": Trouble(parked_message, (None, "completed", "completed")),
    "unsupported": Trouble(unsupported, ("completed", "canceled")),
}


@pytest.mark.parametrize("kind", TROUBLES)
def test_each_kind_of_trouble_is_looked_at_and_healed_by_the_commands_of_its_chapter(
    running: tuple[FaultyShop, Terminal], kind: str
) -> None:
    (shop, terminal), trouble, commands = running, TROUBLES[kind], executed(chapter(kind))
    assert len(commands) == len(trouble.ends)
    orders = trouble.make(shop, len(commands))
    for order in orders:
        shop.is_stuck(order, kind)
    shop.lift()  # its cause is repaired
    for order, (block, shown), end in zip(orders, commands, trouble.ends, strict=True):
        terminal.prints(block, shown, order)
        if end is None:
            assert (shop.stuck(order) or {})["kind"] == kind
        else:
            shop.becomes(order, end)


def test_the_chapters_behind_them_work_as_printed(running: tuple[FaultyShop, Terminal]) -> None:
    _, terminal = running
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    later = titles[titles.index("Bulk repair") :]
    for title in later:
        for block, shown in executed(chapter(title)):
            terminal.prints(block, shown)


def test_a_warehouse_that_ships_at_last_heals_what_is_overdue(tmp_path: Path) -> None:
    manual = ("--warehouse", "manual")
    with faulty_shop(tmp_path, *manual) as shop:
        shop.put("payment", "pause", step="capture")
        order = shop.order()
        shop.reaches(order, "capture", "asked")
        shop.running.kill()
    with faulty_shop(tmp_path, *manual, CLERK_STEP_LIMIT_FACTOR="0.00001") as shop:
        assert shop.is_stuck(order, "overdue")["code"] == "overdue"
        [command] = [content for kind, content in blocks(chapter("overdue")) if kind == "console"]
        key = shop.warehouse["Authorization"].removeprefix("Bearer ")
        given = f"URL={shop.url}\nCLERK={order}\nWAREHOUSE_KEY={key}\n{command}"
        subprocess.run(["bash", "-euo", "pipefail", "-c", given], capture_output=True, timeout=LIMIT, check=True)
        shop.becomes(order, "completed")


def test_every_kind_has_a_chapter_with_all_that_is_asked_at_night() -> None:
    for kind in KINDS:
        text = chapter(kind)
        asked = ["On the dashboard", "The danger", "By itself", "Check", "The way out", "Healed", "Never"]
        assert [each for each in re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE) if each in asked] == asked, kind


def test_the_dashboards_links_to_the_kinds_lead_to_their_chapters() -> None:
    page = str(as_html(PAGE))
    for kind in KINDS:
        assert f'<h2 id="{kind.replace("_", "-")}">{kind}</h2>' in page
    for target in re.findall(r"\]\(#([^)]+)\)", PAGE):
        assert f'id="{target}"' in page
    assert anchor("undo_failing") == "undo-failing"


def test_an_installed_package_has_the_guide_where_the_help_page_looks_for_it() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {f"docs/{GUIDE}": f"shop_manager/dashboard/{GUIDE}"}
    assert f"!docs/{GUIDE}" in (ROOT / ".dockerignore").read_text().splitlines()

"""docs/faults.md and the tutorial on it tell the truth: their commands are executed on a `clerk up --faults`."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from clerk_cli.faults.api import TAKES, FaultAction
from clerk_cli.tests.faults_shop import IMPATIENT
from clerk_cli.tests.processes import LIMIT, ROOT, clerk
from shop_manager.saga.state import StuckKind
from tests.pages import as_pattern, blocks, executed

PAGE = (ROOT / "docs" / "faults.md").read_text()
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-stuck-order.md").read_text()
URL_ON_PAGE = "http://127.0.0.1:8470"
pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("CI") != "true", reason="the pages' commands need curl"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Where a faulty shop's data is, and its URL."""
    folder = tmp_path_factory.mktemp("pages")
    script = folder / "clerk"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clerk_cli "$@"\n')
    script.chmod(0o755)
    with clerk("up", "--faults", "--port", "0", folder=folder, **IMPATIENT) as running:
        yield folder, running.url


def said(shop: tuple[Path, str], script: str) -> str:
    """What these lines of shell print."""
    folder, url = shop
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
    paths = {"PYTHONPATH": str(ROOT), "PATH": f"{folder}{os.pathsep}{kept['PATH']}"}
    run = subprocess.run(
        ["bash", "-uo", "pipefail", "-c", script.replace(URL_ON_PAGE, url)],
        cwd=folder, env=kept | paths | {"NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert run.stderr == ""
    return run.stdout


def test_every_block_of_the_page_does_what_is_printed_behind_it(shop: tuple[Path, str]) -> None:
    found = [block for block in blocks(PAGE) if block[0] in ("sh", "output")]
    script = "".join(content for language, content in found if language == "sh")
    shown = "".join(content for language, content in found if language == "output")
    printed = said(shop, script)
    assert re.fullmatch(as_pattern(shown), f"{printed}\n"), f"printed:\n{printed}\nshown:\n{shown}"


def test_the_tutorials_example_fails_an_order_and_lifts_the_fault(shop: tuple[Path, str]) -> None:
    (set_up, _), (example, _), *_ = executed(TUTORIAL)
    printed = said(shop, set_up + example)
    assert re.search(r"clk_\w+: failed, 12\.95 EUR, because of refused_by_fault at credit", printed)
    assert printed.endswith('{"data":[],"has_more":false,"next_cursor":null}')


def test_the_command_that_starts_it_is_the_one_that_is_tested() -> None:
    [line] = [content for language, content in blocks(PAGE) if language == "console"]
    *settings, program, up, flag = shlex.split(line)
    assert (program, up, flag) == ("clerk", "up", "--faults")
    assert dict(setting.split("=") for setting in settings) == IMPATIENT


def test_the_table_of_faults_has_them_all_with_the_fields_that_each_takes() -> None:
    table = PAGE.partition("\n## The faults\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .+ \| ([^|]*) \|$", table, re.MULTILINE)
    taken = {
        fault: set(re.findall(r"\b(step|name|clerk|attempt|times|seconds|bytes|sender)\b", takes))
        for fault, takes in rows
    }
    faults = [fault for literal in get_args(FaultAction) for fault in (get_args(literal) or (literal,))]
    assert sorted(TAKES) == sorted(faults)
    assert {fault: taken[fault] for fault in faults} == TAKES


def test_the_table_of_ways_to_be_stuck_has_every_kind() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Every way to be stuck")[2], re.MULTILINE)
    assert set(rows) == set(get_args(StuckKind))

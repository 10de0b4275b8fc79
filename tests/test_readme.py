"""README.md is short, and what only it has is true; tests/test_docs.py executes its blocks and follows its links."""

from __future__ import annotations

import re

from tests.pages import ROOT, blocks
from tests.test_docs import commands_in_console_blocks, settings

README = (ROOT / "README.md").read_text()


def test_it_is_read_in_ten_minutes() -> None:
    assert len(README.splitlines()) <= 200


def test_blocks_that_are_not_executed_are_marked_by_their_language() -> None:
    assert {language for language, _ in blocks(README)} == {"sh", "output", "console"}


def test_the_two_commands_are_those_of_make() -> None:
    assert [words[1] for words in commands_in_console_blocks(README) if words[0] == "make"] == ["up", "test"]


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = {"CLERK_TEST_BROKER_URL", "CLERK_TEST_DATABASE_URL", *settings()}
    assert set(re.findall(r"\bCLERK_[A-Z_]*[A-Z]\b", README)) <= known


def test_every_package_is_named_where_it_says_where_is_what() -> None:
    packages = {init.parent.name for init in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "scripts"}
    assert set(re.findall(r"^\| \[`(\w+)/`\]", README, re.MULTILINE)) == packages

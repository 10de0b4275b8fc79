"""The page of OWASP ASVS 5.0.0: each requirement of level 1 and 2 has one line, and what it names exists."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.design_pages import ROOT, files

PAGE = ROOT / "docs" / "design" / "asvs.md"
LEVEL_1 = """
1.2:1-5 1.3:1-2 1.5:1 2.1:1 2.2:1-2 2.3:1 3.2:1-2 3.3:1 3.4:1-2 3.5:1-3 4.1:1 4.4:1 5.2:1-2 5.3:1-2 6.1:1 6.2:1-8
6.3:1-2 6.4:1-2 7.2:1-4 7.4:1-2 8.1:1 8.2:1-2 8.3:1 9.1:1-3 9.2:1 10.4:1-5 11.3:1-2 11.4:1 12.1:1 12.2:1-2 13.4:1
14.2:1 14.3:1 15.1:1 15.2:1 15.3:1
"""
LEVEL_1_AND_2 = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2
4.1:1-3 4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3 6.8:1-4
7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1 8.4:1 9.1:1-3 9.2:1-4 10.1:1-2 10.2:1-2
10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1 11.6:1 12.1:1-3 12.2:1-2
12.3:1-4 13.1:1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3 15.3:1-7 16.1:1 16.2:1-5
16.3:1-4 16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 17.3:1-2
"""
"""`1.2:1-5`: section 1.2 has the requirements 1.2.1 to 1.2.5 of this level."""
STATES = ("holds", "not applicable", "**not held**")
TEXT = PAGE.read_text()
LINES = re.findall(r"^\| ([0-9.]+) \| ([0-9]) \| ([^|]+) \| (.+) \|$", TEXT, re.MULTILINE)


def numbers(ranges: str) -> list[str]:
    found = []
    for each in ranges.split():
        section, _, bounds = each.partition(":")
        first, _, last = bounds.partition("-")
        found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def test_each_requirement_of_both_levels_stands_there_once_with_its_level() -> None:
    assert len(numbers(LEVEL_1_AND_2)) == 253, "as many as the standard has"
    assert Counter(number for number, *_ in LINES) == Counter(numbers(LEVEL_1_AND_2))
    assert sorted(number for number, level, *_ in LINES if level == "1") == sorted(numbers(LEVEL_1))
    assert {level for _, level, *_ in LINES} == {"1", "2"}


def test_each_has_one_of_three_states_and_a_reason() -> None:
    assert [line for line in LINES if line[2] not in STATES or not line[3].strip()] == []
    assert sum(line.startswith("| ") and line[2].isdigit() for line in TEXT.splitlines()) == len(LINES)


def test_the_figures_above_are_those_of_the_lines() -> None:
    counts = [Counter(state for _, level, state, _ in LINES if level in levels) for levels in ("12", "1")]
    every, first = [[count[state] for state in STATES] for count in counts]
    said = " ".join(TEXT.partition("\n## ")[0].split())
    assert (
        f"Of {sum(every)} requirements {every[0]} hold, {every[1]} do not apply, and **{every[2]} are not held**"
        in said
    )
    assert f"of the {sum(first)} of level 1, {first[0]}, {first[1]} and {first[2]}." in said


@pytest.fixture(scope="module")
def names() -> set[str]:
    return {name for path in files("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)}


def test_every_test_and_every_file_that_is_named_is_there(names: set[str]) -> None:
    assert [name for name in re.findall(r"`(test_\w+)`", TEXT) if name not in names] == []
    assert [file for file in re.findall(r"`(\w+/[\w/]+\.py)`", TEXT) if not (ROOT / file).is_file()] == []

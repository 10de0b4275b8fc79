"""The design and the code keep to each other: rules have tests, and what is cited exists (docs/design/README.md)."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.design_pages import ROOT, Citation, cited_pages, cited_rules, files, rules, rules_not_built

RULES = rules()
FAMILIES = {"M": 9, "U": 8, "P": 3, "T": 7, "D": 4, "E": 4, "O": 4, "B": 4, "S": 19, "I": 18}
"""How far the numbers go in each family."""


@pytest.fixture(scope="module")
def names() -> list[str]:
    """The names of all tests of the project."""
    found = (re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE) for path in files("test_*.py"))
    return [name for each in found for name in each]


def test_every_number_is_a_rule_or_is_said_to_be_not_built_and_none_twice() -> None:
    numbered = [f"{letter}{number}" for letter, last in FAMILIES.items() for number in range(1, last + 1)]
    assert Counter(RULES + rules_not_built()) == Counter(numbered)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_test_of_its_name(rule: str, names: list[str]) -> None:
    assert [name for name in names if re.search(rf"_{rule}_", name)]


def test_every_rule_that_is_cited_exists() -> None:
    known = {*RULES, *rules_not_built()}
    assert [_where(each) for each in cited_rules() if each.what not in known] == []


def test_every_page_that_a_source_cites_exists_under_the_path_that_is_named() -> None:
    wrong = [each for each in cited_pages() if not _exists(each)]
    assert [_where(each) for each in wrong] == []


def _exists(cited: Citation) -> bool:
    """From the root of the project, or beside the file."""
    return (ROOT / cited.what).is_file() or (cited.file.parent / cited.what).is_file()


def _where(cited: Citation) -> str:
    return f"{cited.file.relative_to(ROOT)}:{cited.line}: {cited.what}"

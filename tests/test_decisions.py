"""Decision records have one form, are all in the index, and are linked from the page or module that they explain."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.pages import DOCS, PAGES, ROOT, name_of

FOLDER = DOCS / "decisions"
INDEX = FOLDER / "README.md"
RECORDS = sorted(page for page in FOLDER.glob("*.md") if page != INDEX)
NUMBERS = {record.name[:3] for record in RECORDS}
CITED = re.compile(r"\bdecisions?/(\d{3})\b|\b[Dd]ecision \[?(\d{3})\b")
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)


@cache
def citing() -> dict[str, set[str]]:
    """Number → the pages and modules that cite it; the index and a record itself are left out, tests too."""
    modules = [path for top in ROOT.glob("*/__init__.py") for path in top.parent.rglob("*.py")]
    found: dict[str, set[str]] = {}
    for path in [*PAGES, *modules, ROOT / "docker-compose.yml", ROOT / "Makefile"]:
        for number in _cited_in(path):
            if path != INDEX and path.name[:3] != number:
                found.setdefault(number, set()).add(name_of(path))
    return found


def _cited_in(path: Path) -> set[str]:
    numbers = {one or other for one, other in CITED.findall(path.read_text())}
    if path.parent == FOLDER:  # records link each other by file name alone
        numbers |= set(re.findall(r"\]\((\d{3})-", path.read_text()))
    return numbers


@every_record
def test_a_record_has_the_form(record: Path) -> None:
    text = record.read_text()
    head = r"\n\n- Status: (accepted|replaced by \d{3})\n- Date: \d{4}-\d\d-\d\d\n\n## Context\n"
    assert re.match(rf"# {record.name[:3]}: \S.*{head}", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    chapters = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(chapter.strip() for chapter in chapters)


@every_record
def test_a_record_is_in_the_index_with_its_title_and_date(record: Path) -> None:
    title, date = re.findall(r"^(?:# \d{3}: |- Date: )(.+)$", record.read_text(), re.MULTILINE)
    assert f"| [{record.name[:3]}]({record.name}) | {title} | {date} |" in INDEX.read_text().splitlines()


def test_no_number_is_there_twice_and_the_index_explains_those_that_are_missing() -> None:
    assert len(NUMBERS) == len(RECORDS)
    explained: set[int] = set()
    chapter = INDEX.read_text().partition("## Numbers that are missing\n")[2].partition("\n## ")[0]
    for first, last in re.findall(r"(\d{3})(?: to (\d{3}))?", chapter):
        explained |= set(range(int(first), int(last or first) + 1))
    highest = max(int(number) for number in NUMBERS)
    assert explained == set(range(1, highest + 1)) - {int(number) for number in NUMBERS}


@every_record
def test_a_record_is_linked_from_a_page_or_a_module_other_than_the_index(record: Path) -> None:
    assert {page for page in citing().get(record.name[:3], set()) if not page.startswith("docs/decisions/")}


def test_no_decision_is_cited_that_is_not_there() -> None:
    assert {number: places for number, places in citing().items() if number not in NUMBERS} == {}


def test_a_record_names_only_files_that_are_there() -> None:
    missing = {
        f"{record.name}: {file}"
        for record in RECORDS
        for file in re.findall(r"`((?:\w+/)+\w+\.(?:py|md|sh))`", record.read_text())
        if not (ROOT / file).exists()
    }
    assert missing == set()

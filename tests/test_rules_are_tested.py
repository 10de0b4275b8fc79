"""Each rule of what must hold has a test whose name says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = [
    *(f"M{number}" for number in range(1, 9)),
    *(f"U{number}" for number in range(1, 9)),
    *(f"P{number}" for number in range(1, 4)),
    *(f"T{number}" for number in range(1, 8)),
    *(f"D{number}" for number in range(1, 5)),
    *(f"E{number}" for number in range(1, 5)),
    *(f"B{number}" for number in range(1, 4)),
]


@pytest.fixture(scope="module")
def names() -> list[str]:
    """The names of all tests of the project."""
    files = [path for path in ROOT.rglob("test_*.py") if ".venv" not in path.parts and ".cache" not in path.parts]
    return [name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_test_of_its_name(rule: str, names: list[str]) -> None:
    assert [name for name in names if re.search(rf"_{rule}_", name)]

"""The cases of clocks that jump, on a shop with a clock of its own; processes have theirs in faults/kinds/clocks.py."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.reported_faults.cases import Case
from scenario_tests.reported_faults.clock_cases import CLOCKS, ClockedHarness, ClockedPlace
from scenario_tests.shop import Shop

pytestmark = pytest.mark.embedded
_numbers = count(1)


@pytest.fixture(scope="module")
def clocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClockedHarness]:
    harness = ClockedHarness(tmp_path_factory.mktemp("clocked"))
    yield harness
    harness.close()


@pytest.fixture
def place(clocked: ClockedHarness) -> Iterator[ClockedPlace]:
    clocked.off = 0.0
    api = ApiClient(clocked)
    Shop(clocked, api, "").set_up()
    yield ClockedPlace(clocked, api, f"c{next(_numbers)}")
    clocked.off = 0.0
    api.close()


@pytest.mark.parametrize("case", CLOCKS.cases, ids=str)
def test_a_clock_that_jumps(place: ClockedPlace, case: Case) -> None:
    assert case.act(place) == case.right, f"{case}; seen at {case.seen}"

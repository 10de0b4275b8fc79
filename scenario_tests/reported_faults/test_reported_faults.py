"""Every case of the table against one running shop: what a client sees is the right value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from scenario_tests.api_client import ApiClient
from scenario_tests.harness import Harness
from scenario_tests.reported_faults.cases import Case
from scenario_tests.reported_faults.place import Place
from scenario_tests.reported_faults.table import CASES

_numbers = count(1)


@pytest.fixture(scope="module")
def api(harness: Harness) -> Iterator[ApiClient]:
    client = ApiClient(harness)
    yield client
    client.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_went_wrong_elsewhere(harness: Harness, api: ApiClient, case: Case) -> None:
    place = Place(harness, api, f"r{next(_numbers)}")
    assert case.act(place) == case.right, f"{case}; seen at {case.seen}"


def test_there_are_at_least_sixty_and_each_has_a_number_of_its_own() -> None:
    assert len(CASES) >= 60
    assert len({case.number for case in CASES}) == len(CASES)
    assert all(case.seen for case in CASES)

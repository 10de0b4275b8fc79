"""Base scenarios end as their names say, and crashes are put where a process can really end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from simulation.campaign import case_runner
from simulation.cases import Case, Result, run_case
from simulation.exhaustive import base_cases, crash_pairs, thinned, with_crash
from simulation.faults import Fault
from simulation.stores import Stores

BASES = {case.name: case for case in base_cases()}
ENDS = {
    "happy": "completed",
    "happy, turn by turn": "completed",
    "happy, shipped by hand": "completed",
    "invoice": "completed",
    "digital": "completed",
    "both kinds": "completed",
    "downloads of a shop that sells both": "completed",
    "refused at shopping": "failed",
    "refused at credit": "failed",
    "refused at payment": "failed",
    "refused at stock": "failed",
    "refused at capture": "failed",
    "the void is asked anew": "failed",
    "an operator retries a failing undo": "failed",
    "an operator retries what is not answered": "completed",
    "cancelled at shopping": "canceled",
    "cancelled at credit": "canceled",
    "cancelled at payment": "canceled",
    "cancelled at stock": "canceled",
    "cancelled at capture": "completed",
    "cancelled at shipping": "completed",
    "expired at shopping": "expired",
    "expired at credit": "expired",
    "expired at payment": "expired",
    "expired at stock": "expired",
    "expired at capture": "completed",
    "expired at shipping": "completed",
    "silence at credit": "expired",
    "silence at payment": "completed",
    "silence at stock": "expired",
}
"""From capture, the pivot, on nothing is undone (P1). The payment step may wait longer than the silence lasts."""
STUCK_AND_ACTED = "SELECT what FROM history WHERE what = 'stuck' OR data LIKE '%operator:%' ORDER BY number"


@pytest.fixture(scope="module")
def stores() -> Stores:
    return Stores()


def test_every_base_scenario_has_an_end_that_is_expected() -> None:
    assert ENDS.keys() == BASES.keys()


@pytest.mark.parametrize("name", ENDS)
def test_a_base_scenario_ends_as_its_name_says(name: str, stores: Stores) -> None:
    result = run_case(BASES[name], stores)
    assert result.findings == ()
    [(status,)] = stores.peek("shop_manager", "SELECT status FROM clerks")
    assert status == ENDS[name]


@pytest.mark.parametrize("name", [name for name in BASES if name.startswith("an operator")])
def test_an_operator_finds_the_stuck_clerk_and_acts_once(name: str, stores: Stores) -> None:
    assert run_case(BASES[name], stores).rare["operator's act"] == 1
    assert stores.peek("shop_manager", STUCK_AND_ACTED) == [("stuck",), ("asked",)]


def test_an_operator_who_never_hears_that_he_was_heard_does_not_act_twice(stores: Stores) -> None:
    case = BASES["an operator retries a failing undo"]
    answers = [name for point, name in run_case(case, stores, keep_points=True).passed if point == "answered"]
    crash = Fault(next(name for name in reversed(answers) if name.startswith("shop_manager")), "crash")
    result = run_case(replace(case, faults=[*(case.faults or ()), crash]), stores)
    assert result.findings == () and crash in result.injected
    assert stores.peek("shop_manager", STUCK_AND_ACTED) == [("stuck",), ("asked",)]


def test_a_crash_is_put_at_every_call_and_happens_there(stores: Stores) -> None:
    happy = run_case(BASES["happy"], stores, keep_points=True)
    cases = list(with_crash([happy]))
    points = {case.faults[-1].occasion.split(".")[1] for case in cases if case.faults}
    assert points >= {"begin", "commit", "committed", "publish", "published", "acknowledge", "acknowledged", "submit"}
    assert len({case.name for case in cases}) == len(cases) > 80
    for case in thinned(cases, 12):
        result = run_case(case, stores)
        assert tuple(result.injected) == tuple(case.faults or ())
        assert result.findings == ()


def test_a_second_crash_comes_behind_the_first(stores: Stores) -> None:
    with case_runner("memory", 1, keep_points=True) as run_cases:
        first = next(case for case in with_crash(run_cases([BASES["happy"]])))
        second = list(with_crash(run_cases([first])))
    assert all(case.faults is not None and len(case.faults) == 2 for case in second)
    assert tuple(run_case(second[-1], stores).injected) == tuple(second[-1].faults or ())


def test_there_are_pairs_of_every_base_scenario() -> None:
    points = (("begin", "risk.begin.1"), ("message", "risk.message.1"), ("commit", "risk.commit.1"))

    def pass_three_points(cases: Iterable[Case]) -> Iterator[Result]:
        return (Result(case, (), tuple(case.faults or ()), "", Counter(), points) for case in cases)

    names = [case.name for case in crash_pairs(pass_three_points)]
    assert names == [f"{name}, crash at risk.begin.1, crash at risk.commit.1" for name in BASES]


def test_a_budget_is_spread_over_all() -> None:
    cases = [Case(str(number), BASES["happy"].scenario, 1) for number in range(100)]
    assert [case.name for case in thinned(cases, 4)] == ["0", "25", "50", "75"]
    assert len(thinned(cases, None)) == 100

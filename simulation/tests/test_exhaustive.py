"""Base scenarios end as their names say, and crashes are put where a process can really end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulation.campaign import players
from simulation.cases import Case, run
from simulation.exhaustive import bases, pairs, thinned, with_crash
from simulation.faults import Fault
from simulation.stores import Stores

BASES = {case.name: case for case in bases()}
ENDS = {
    "happy": "completed",
    "happy, turn by turn": "completed",
    "happy, shipped by hand": "completed",
    "invoice": "completed",
    "digital": "completed",
    "refused at shopping": "failed",
    "refused at credit": "failed",
    "refused at payment": "failed",
    "refused at stock": "failed",
    "refused at capture": "failed",
    "the void is asked anew": "failed",
    "an operator retries a failing undo": "failed",
    "an operator retries what is not answered": "completed",
    "cancelled at payment": "canceled",
    "cancelled at shipping": "completed",
    "expired at stock": "expired",
    "silence at credit": "expired",
}

STUCK_AND_ACTED = "SELECT what FROM history WHERE what = 'stuck' OR data LIKE '%operator:%' ORDER BY number"


@pytest.fixture(scope="module")
def stores() -> Stores:
    return Stores()


@pytest.mark.parametrize("name", ENDS)
def test_a_base_scenario_ends_as_its_name_says(name: str, stores: Stores) -> None:
    result = run(BASES[name], stores)
    assert result.findings == ()
    [(status,)] = stores.peek("shop_manager", "SELECT status FROM clerks")
    assert status == ENDS[name]


@pytest.mark.parametrize("name", [name for name in BASES if name.startswith("an operator")])
def test_an_operator_finds_the_stuck_clerk_and_acts_once(name: str, stores: Stores) -> None:
    assert run(BASES[name], stores).rare["operator's act"] == 1
    assert stores.peek("shop_manager", STUCK_AND_ACTED) == [("stuck",), ("asked",)]


def test_an_operator_who_never_hears_that_he_was_heard_does_not_act_twice(stores: Stores) -> None:
    case = BASES["an operator retries a failing undo"]
    answers = [name for port, name in run(case, stores, keep_ports=True).passed if port == "answered"]
    crash = Fault(next(name for name in reversed(answers) if name.startswith("shop_manager")), "crash")
    result = run(replace(case, faults=[*(case.faults or ()), crash]), stores)
    assert result.findings == () and crash in result.injected
    assert stores.peek("shop_manager", STUCK_AND_ACTED) == [("stuck",), ("asked",)]


def test_a_crash_is_put_at_every_call_and_happens_there(stores: Stores) -> None:
    happy = run(BASES["happy"], stores, keep_ports=True)
    cases = list(with_crash([happy]))
    ports = {case.faults[-1].occasion.split(".")[1] for case in cases if case.faults}
    assert ports >= {"begin", "commit", "committed", "publish", "published", "acknowledge", "acknowledged", "submit"}
    assert len({case.name for case in cases}) == len(cases) > 80
    for case in thinned(cases, 12):
        result = run(case, stores)
        assert tuple(result.injected) == tuple(case.faults or ())
        assert result.findings == ()


def test_a_second_crash_comes_behind_the_first(stores: Stores) -> None:
    with players("memory", 1, keep_ports=True) as play:
        first = next(case for case in with_crash(play([BASES["happy"]])))
        second = list(with_crash(play([first])))
    assert all(case.faults is not None and len(case.faults) == 2 for case in second)
    assert tuple(run(second[-1], stores).injected) == tuple(second[-1].faults or ())


def test_there_are_pairs_of_every_base_scenario() -> None:
    with players("memory", 1, keep_ports=True) as play:
        found = pairs(play)
        assert next(found).name.startswith("happy, crash at ")


def test_a_budget_is_spread_over_all() -> None:
    cases = [Case(str(number), BASES["happy"].scenario, 1) for number in range(100)]
    assert [case.name for case in thinned(cases, 4)] == ["0", "25", "50", "75"]
    assert len(thinned(cases, None)) == 100

"""What a report says of a failure: its invariant, the smallest schedule, a chart, and one command that replays it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.cases import Case, Result, case_of_seed, run_case
from simulation.monitor import RARE_EVENTS
from simulation.mutants import MUTANTS, Mutant
from simulation.report import COUNTED_FROM, Report
from simulation.schedule import BadSchedule, read_schedule, write_schedule
from simulation.stores import Stores

REGRESSIONS = sorted((Path(__file__).parents[1] / "regressions").glob("*.json"))
NO_FENCE = next(mutant for mutant in MUTANTS if mutant.name == "no fence")


@pytest.fixture(scope="module")
def stores() -> Stores:
    return Stores()


@pytest.fixture
def mutant() -> Iterator[Mutant]:
    with NO_FENCE.patched():
        yield NO_FENCE


def failing(stores: Stores, tmp_path: Path) -> Report:
    report = Report()
    report.take(run_case(case_of_seed(seed), stores) for seed in range(4))
    assert report.failed
    report.close(lambda case: run_case(case, stores, keep_lines=True), tmp_path)
    return report


def test_a_failure_names_seed_invariant_schedule_and_the_command_that_replays_it(
    stores: Stores, mutant: Mutant, tmp_path: Path
) -> None:
    failure = failing(stores, tmp_path).failures[0]
    assert failure.invariant in mutant.invariants
    assert failure.replay == f"clerk simulate --seed {failure.seed}"
    assert set(failure.as_json()) == {"seed", "invariant", "schedule", "replay"}
    assert any("──▶" in line for line in failure.chart)


def test_a_schedule_is_smaller_than_what_was_drawn_and_still_breaks_the_same(
    stores: Stores, mutant: Mutant, tmp_path: Path
) -> None:
    report = failing(stores, tmp_path)
    drawn, failure = report.failed[0], report.failures[0]
    assert len(failure.schedule) < len(drawn.injected)
    [kept, *_] = sorted(tmp_path.glob(f"{failure.invariant}-seed-{failure.seed}.json"))
    schedule = read_schedule(kept)
    assert schedule.invariant == failure.invariant
    assert run_case(schedule.case(), stores).invariant == failure.invariant


def test_the_same_schedule_holds_with_the_right_build(stores: Stores, tmp_path: Path) -> None:
    with NO_FENCE.patched():
        failing(stores, tmp_path)
    for kept in tmp_path.glob("*.json"):
        assert run_case(read_schedule(kept).case(), stores).findings == ()


def test_rare_things_that_never_happened_fail_a_run_of_a_thousand_seeds() -> None:
    report = Report(scenarios=COUNTED_FROM, seeds=COUNTED_FROM)
    report.counters.update({name: 1 for name in RARE_EVENTS if name != "lost race"})
    report.close(_nobody, None)
    assert [(failure.invariant, failure.what.split(":")[0]) for failure in report.failures] == [("rare", "lost race")]


def test_few_seeds_need_not_have_seen_everything() -> None:
    report = Report(scenarios=10, seeds=10)
    report.close(_nobody, None)
    assert report.failures == []


def _nobody(case: Case) -> Result:
    raise AssertionError(case)


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_was_once_broken_holds(path: Path, stores: Stores) -> None:
    case = read_schedule(path).case()
    result = run_case(case, stores)
    assert result.findings == ()
    assert tuple(result.injected) == tuple(case.faults or ()), "its faults still happen"


@pytest.mark.parametrize("seed", [0, 3, 5, 8, 12])
def test_a_drawn_seed_written_down_is_the_same_run(seed: int, stores: Stores, tmp_path: Path) -> None:
    drawn = run_case(case_of_seed(seed), stores)
    path = tmp_path / "schedule.json"
    write_schedule(path, Case("again", drawn.case.scenario, seed, drawn.injected), None)
    again = run_case(read_schedule(path).case(), stores)
    assert (again.digest, again.injected) == (drawn.digest, drawn.injected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "the file"),
        (b"[]", "the file"),
        (b'{"name": "x", "invariant": null, "seed": "y", "scenario": {}, "faults": []}', "seed"),
        (b'{"name": "x", "invariant": null, "seed": 1, "faults": []}', "scenario"),
    ],
)
def test_a_file_that_is_no_schedule_is_refused_in_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(BadSchedule) as caught:
        read_schedule(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_fault_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    write_schedule(path, case_of_seed(1), None)
    content = json.loads(path.read_text()) | {"faults": [{"at": "risk.commit.1", "fault": "flood"}]}
    path.write_text(json.dumps(content))
    with pytest.raises(BadSchedule, match="flood"):
        read_schedule(path)

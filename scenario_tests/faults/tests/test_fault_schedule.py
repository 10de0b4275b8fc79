"""The fault schedule of the nemesis, and the report of its rounds; without servers."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from scenario_tests.faults.fault import Fault, Injection
from scenario_tests.faults.fault_schedule import LONGEST_BESIDE, FaultSchedule, go_together
from scenario_tests.faults.kinds import ALL
from scenario_tests.faults.rounds import LINES, ChaosReport, Round


def drawn(seed: int, many: int) -> list[tuple[Fault, ...]]:
    schedule = FaultSchedule(ALL, seed)
    return [schedule.draw() for _ in range(many)]


def until_all_are_played(seed: int) -> list[tuple[Fault, ...]]:
    schedule, rounds = FaultSchedule(ALL, seed), list[tuple[Fault, ...]]()
    while sum(map(len, rounds)) < len(ALL):
        rounds.append(schedule.draw())
    return rounds


def test_the_same_seed_draws_the_same_rounds_and_another_does_not() -> None:
    assert drawn(7, 50) == drawn(7, 50)
    assert drawn(7, 50) != drawn(8, 50)


def test_every_fault_is_played_once_before_any_is_played_again() -> None:
    played = [fault for faults in until_all_are_played(3) for fault in faults]
    assert sorted(fault.name for fault in played) == sorted(fault.name for fault in ALL)


def test_a_short_run_meets_every_row() -> None:
    rows = {fault.row for fault in ALL}
    assert {fault.row for faults in islice(until_all_are_played(5), len(rows)) for fault in faults} == rows


def test_two_at_once_touch_no_service_in_common_and_nothing_but_services() -> None:
    pairs = [faults for faults in until_all_are_played(1) if len(faults) == 2]
    assert pairs
    for one, other in pairs:
        assert one.affects
        assert other.affects
        assert not one.affects & other.affects


def test_who_hurts_anything_and_who_takes_long_is_played_alone() -> None:
    def fault(cost: float = 8.0, *services: str) -> Fault:
        return Fault("killed", "it affects", nothing, cost, frozenset(services))

    assert go_together(fault(8.0, "risk"), fault(8.0, "shop"))
    assert not go_together(fault(8.0, "risk"), fault(8.0, "risk", "shop"))
    assert not go_together(fault(8.0, "risk"), fault())
    assert not go_together(fault(8.0, "risk"), fault(LONGEST_BESIDE + 1, "shop"))


def nothing(injection: Injection) -> None:
    injection.fired("nothing")


def test_a_round_is_a_line_and_a_broken_one_is_told_in_full(tmp_path: Path) -> None:
    report = ChaosReport(tmp_path / "chaos", seed=4)
    assert not report.held
    report.add(Round(1, 4, ["risk is killed"], ["killed"], ["risk killed"], 3, 12, 2.5, [], "held"))
    assert report.held
    report.add(Round(2, 4, ["all is lost"], ["killed"], ["lost"], 1, 7, 4.5, ["I3 clk_1: money"], "1 violations"))
    assert not report.held
    lines = [json.loads(line) for line in (tmp_path / "chaos" / LINES).read_text().splitlines()]
    assert [(line["round"], line["harms"], line["seconds_to_quiet"], line["drifts"]) for line in lines] == [
        (1, ["risk is killed"], 2.5, []),
        (2, ["all is lost"], 4.5, ["I3 clk_1: money"]),
    ]
    page = report.write().read_text()
    assert "2 rounds, 2 faults, 19 orders, 4 of them in flight" in page
    assert "1 rounds broke. Quiet again after: median 3.5 s, worst 4.5 s." in page
    assert "I3 clk_1: money" in page

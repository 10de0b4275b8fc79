"""The deck of the nemesis, and what is written of its rounds; no servers."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from scenario_tests.faults.deck import LONGEST_BESIDE, Deck, go_together
from scenario_tests.faults.harm import Blow, Harm
from scenario_tests.faults.harms import ALL
from scenario_tests.faults.rounds import LINES, Report, Round


def drawn(seed: int, many: int) -> list[tuple[Harm, ...]]:
    deck = Deck(ALL, seed)
    return [deck.draw() for _ in range(many)]


def until_all_are_played(seed: int) -> list[tuple[Harm, ...]]:
    deck, rounds = Deck(ALL, seed), list[tuple[Harm, ...]]()
    while sum(map(len, rounds)) < len(ALL):
        rounds.append(deck.draw())
    return rounds


def test_the_same_seed_draws_the_same_rounds_and_another_does_not() -> None:
    assert drawn(7, 50) == drawn(7, 50)
    assert drawn(7, 50) != drawn(8, 50)


def test_every_harm_is_played_once_before_any_is_played_again() -> None:
    played = [harm for harms in until_all_are_played(3) for harm in harms]
    assert sorted(harm.name for harm in played) == sorted(harm.name for harm in ALL)


def test_a_short_run_meets_every_row() -> None:
    rows = {harm.row for harm in ALL}
    assert {harm.row for harms in islice(until_all_are_played(5), len(rows)) for harm in harms} == rows


def test_two_at_once_touch_no_service_in_common_and_nothing_but_services() -> None:
    pairs = [harms for harms in until_all_are_played(1) if len(harms) == 2]
    assert pairs
    for one, other in pairs:
        assert one.hurts
        assert other.hurts
        assert not one.hurts & other.hurts


def test_who_hurts_anything_and_who_takes_long_is_played_alone() -> None:
    def harm(cost: float = 8.0, *services: str) -> Harm:
        return Harm("killed", "it hurts", nothing, cost, frozenset(services))

    assert go_together(harm(8.0, "risk"), harm(8.0, "shop"))
    assert not go_together(harm(8.0, "risk"), harm(8.0, "risk", "shop"))
    assert not go_together(harm(8.0, "risk"), harm())
    assert not go_together(harm(8.0, "risk"), harm(LONGEST_BESIDE + 1, "shop"))


def nothing(blow: Blow) -> None:
    blow.lands("nothing")


def test_a_round_is_a_line_and_a_broken_one_is_told_in_full(tmp_path: Path) -> None:
    report = Report(tmp_path / "chaos", seed=4)
    assert not report.held
    report.add(Round(1, 4, ["risk is killed"], ["killed"], ["risk killed"], 3, 12, 2.5, [], "held"))
    assert report.held
    report.add(Round(2, 4, ["all is lost"], ["killed"], ["lost"], 1, 7, 4.5, ["I3 clk_1: money"], "1 drifts"))
    assert not report.held
    lines = [json.loads(line) for line in (tmp_path / "chaos" / LINES).read_text().splitlines()]
    assert [(line["round"], line["seconds_to_quiet"], line["drifts"]) for line in lines] == [
        (1, 2.5, []),
        (2, 4.5, ["I3 clk_1: money"]),
    ]
    page = report.write().read_text()
    assert "2 rounds, 2 faults, 19 orders, 4 of them in flight" in page
    assert "1 rounds broke. Quiet again after: median 3.5 s, worst 4.5 s." in page
    assert "I3 clk_1: money" in page

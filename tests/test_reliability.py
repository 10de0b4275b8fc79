"""docs/reliability.md says what was recorded, also what did not hold and what nobody has played."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.reliability import FOLDER, PAGE, described, main, read
from scripts.reliability_page import Recordings, page

RUN = {
    "machine": {"machine": "1 core"},
    "rows": {"killed": "killed at each point", "clock": "clock an hour on", "flood": "a flood"},
    "harms": {"killed": 3, "flood": 2},
    "invariants": {"I3": ("money", "always")},
}


def fault_run(name: str, outcome: str = "held", seconds: float | None = 2.0, commit: str = "abc") -> dict[str, Any]:
    line = {"row": "killed", "name": name, "evidence": ["it died"], "in_flight": 4, "seconds_to_quiet": seconds}
    return {**line, "outcome": outcome, "commit": commit, "date": "2026-11-26T10:00:00+00:00"}


def round_of_chaos(number: int, outcome: str = "held") -> dict[str, Any]:
    line = {"round": number, "seed": 7, "harms": ["risk is killed", "shop is killed"], "in_flight": 3, "orders": 20}
    more = {
        "seconds_to_quiet": 1.5,
        "drifts": [],
        "outcome": outcome,
        "commit": "abc",
        "date": "2026-11-27T10:00:00+00:00",
    }
    return {**line, **more}


def page_text(faults: list[dict[str, Any]], rounds: list[dict[str, Any]] | None = None, **more: Any) -> str:
    return page(Recordings(RUN, faults, rounds or [], more.get("simulation", {}), more.get("wrong_builds", {})))


def test_a_row_has_its_runs_its_times_and_what_was_in_flight() -> None:
    text = page_text([fault_run("a", seconds=1.0), fault_run("b", seconds=2.0), fault_run("c", seconds=9.0)])
    assert "| killed at each point | 3 | 3 | 3 | 12 | 2.0 s, 9.0 s |" in text
    assert "| clock an hour on | 0 | 0 | 0 | 0 | – |" in text
    assert "Everything that was recorded held." in text


def test_a_run_that_broke_stays_on_the_page_also_when_the_next_one_held() -> None:
    broken = [fault_run("a", "broke: I3 money\nmore", None, "old"), fault_run("b", "broke: lost", None)]
    text = page_text([broken[0], fault_run("a", commit="new"), broken[1]])
    assert "- **a** on `old`: I3 money. Its last run, on `new`, held." in text
    assert "- **b** on `abc`: lost. It has not held since." in text
    assert "3 runs of 2 faults; 1 held." in text


def test_rounds_of_chaos_are_summed_up_and_broken_ones_named() -> None:
    text = page_text([], [round_of_chaos(1), {**round_of_chaos(2, "3 drifts"), "remark": "Its cause was found."}])
    assert "seed 7: 2 rounds with 4 faults, 40 orders, 6 of them in flight" in text
    assert "1 rounds held" in text
    assert "- **Round 2 of chaos**, risk is killed and shop is killed, on `abc`: 3 drifts. Its cause was found." in text


def test_what_was_not_played_is_listed() -> None:
    text = page_text([fault_run("a")])
    assert "- Not played in these recordings: clock an hour on." in text
    assert "- Not played in these recordings: a flood." in text
    assert "- 2 more that there are of this row were not played: killed at each point." in text
    assert text.count("Not recorded.") == 3, "chaos, simulation and wrong builds"


def test_how_fast_the_flood_really_was_is_told() -> None:
    flood = {**fault_run("a flood"), "row": "flood", "evidence": ["12 callers", "93 a second for 10 s"]}
    assert "came to: 93 a second for 10 s." in page_text([flood])


def test_a_wrong_build_that_nobody_found_out_is_shown_as_such() -> None:
    builds = [
        {"build": "no fence", "wrong": "does it", "caught": True, "invariant": "I10", "seeds": 1},
        {"build": "float money", "wrong": "rounds", "caught": False, "invariant": None, "seeds": 300},
    ]
    text = page_text([], wrong_builds={"builds": builds})
    assert "1 of 2 builds" in text
    assert "| float money | rounds | **nobody** | 300 |" in text


def test_the_machine_and_what_there_is_to_play_are_described() -> None:
    run = described()
    assert run["harms"].keys() <= run["rows"].keys()
    assert run["machine"]["Python"]


def test_a_part_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "weather"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_page_in_docs_is_that_of_its_recordings() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read(FOLDER)), "make reliability writes it anew"

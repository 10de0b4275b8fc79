"""`make test` leaves nothing out, tells whose a line is, repeats what failed, and ends what it has started."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.run_tests import AGAIN_AT_MOST, LANES, PARTS, STAGES, chosen_lanes, main
from scripts.side_by_side import TESTS_FAILED, Stage, Terminal

SUMMARY = "FAILED tests/test_a.py::test_b[c d] - assert 1 == 2"


def test_every_stage_is_played_once_but_quick_which_is_a_part_of_unit() -> None:
    played = [name for lane in LANES for name in lane]
    assert sorted(played) == sorted(set(STAGES) - {"quick"})
    assert chosen_lanes([]) == [list(lane) for lane in LANES]


def test_some_stages_are_played_side_by_side_where_their_lanes_are() -> None:
    assert chosen_lanes(["unit", "services", "lint"]) == [["unit"], ["lint", "types"], ["services"]]
    assert chosen_lanes(["quick"]) == [["lint", "types"], ["quick"]]
    assert set(PARTS) <= set(STAGES)


def test_an_unknown_stage_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["units"]) == 2
    assert "unknown stage 'units': allowed are lint, types" in capsys.readouterr().out


def test_failed_tests_are_kept_and_lines_say_whose_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.side_by_side = True
    stage = Stage("unit", terminal)
    assert stage.run([sys.executable, "-c", f"print({SUMMARY!r}); print('1 failed'); raise SystemExit(3)"]) == 3
    assert stage.failed == [SUMMARY]
    assert capsys.readouterr().out == f"unit      | {SUMMARY}\nunit      | 1 failed\n"


def test_processes_keep_what_they_have_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = "import sys; raise SystemExit(7 if sys.dont_write_bytecode else 0)"
    assert Stage("unit", Terminal()).run([sys.executable, "-c", program]) == 0


def test_when_told_to_end_it_ends_what_runs_and_starts_nothing_more(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    stage = Stage("services", terminal)
    # Tests before this one may have blocked signals in this process, and children inherit that.
    unblocked = "signal.pthread_sigmask(signal.SIG_SETMASK, [])"
    program = f"import signal; {unblocked}; print('begun', flush=True); signal.pause()"
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(stage.run, [sys.executable, "-c", program])
        said = ""
        while "begun" not in said:
            assert not running.done()
            said += capsys.readouterr().out
        terminal.end_all(signal.SIGTERM, told=False)
        assert running.result(20.0) == -signal.SIGTERM
    assert stage.run([sys.executable, "-c", "print('too late')"]) != 0
    assert "too late" not in capsys.readouterr().out


THREE_TESTS = """
from pathlib import Path

def test_good(): pass
def test_never(): assert not 1
def test_late():
    seen = Path(__file__).with_name("seen")
    before = seen.exists()
    seen.touch()
    assert before
"""


def test_what_failed_beside_other_stages_is_played_again_and_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_three.py").write_text(THREE_TESTS)
    stage = Stage("three tests", Terminal())
    assert stage.tests([str(tmp_path)]) == TESTS_FAILED
    assert [line.split("::")[1].split()[0] for line in stage.failed] == ["test_never", "test_late"]
    capsys.readouterr()
    assert stage.failed_tests_again() == TESTS_FAILED
    assert [line.split("::")[1].split()[0] for line in stage.failed] == ["test_never"]
    assert [line.split("::")[1].split()[0] for line in stage.passed_alone] == ["test_late"]
    assert "1 failed, 1 passed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("failed", "code", "played_again"), [(1, 1, 1), (AGAIN_AT_MOST, 1, 1), (AGAIN_AT_MOST + 1, 1, 0), (1, 2, 0)]
)
def test_only_a_few_failed_tests_of_a_stage_that_came_to_its_end_are_played_again(
    monkeypatch: pytest.MonkeyPatch, failed: int, code: int, played_again: int
) -> None:
    def unit(stage: Stage) -> int:
        stage.failed = [SUMMARY] * failed
        return code

    again: list[str] = []

    def failed_tests_again(stage: Stage) -> int:
        again.append(stage.name)
        return 0

    monkeypatch.setattr(Stage, "failed_tests_again", failed_tests_again)
    monkeypatch.setattr("scripts.run_tests.STAGES", {**STAGES, "unit": unit, "services": lambda stage: 0})
    assert main(["unit", "services"]) == (0 if played_again else 1)
    assert again == ["unit"] * played_again

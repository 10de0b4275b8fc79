"""`clerk simulate`: what it prints for programs, its exit codes, and that it is the same on any number of cores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clerk_cli.main import run
from simulation.mutants import MUTANTS

FIELDS = {"scenarios", "seeds", "failures", "trace_hash", "counters", "seconds"}
NO_FENCE = next(build for build in MUTANTS if build.name == "no fence")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simulated(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["simulate", *arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(answer) == FIELDS
    return answer


def test_seeds_that_hold_are_counted_and_have_one_trace_hash(capsys: pytest.CaptureFixture[str]) -> None:
    first = simulated(capsys, "--seeds", "6", "--workers", "1")
    second = simulated(capsys, "--seeds", "6", "--workers", "2")
    assert (first["scenarios"], first["seeds"], first["failures"]) == (6, 6, [])
    assert first["trace_hash"] == second["trace_hash"]
    assert first["counters"] == second["counters"]


def test_another_first_seed_is_another_trace(capsys: pytest.CaptureFixture[str]) -> None:
    one = simulated(capsys, "--seed", "3", "--workers", "1")
    other = simulated(capsys, "--seed", "4", "--workers", "1")
    assert one["seeds"] == other["seeds"] == 1
    assert one["trace_hash"] != other["trace_hash"]


def test_the_exhaustive_cases_are_no_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    answer = simulated(capsys, "--exhaustive", "single", "--most", "5", "--workers", "1")
    assert (answer["scenarios"], answer["seeds"]) == (5, 0)


def test_a_failure_is_told_kept_and_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    with NO_FENCE.patched():
        answer = simulated(capsys, "--seeds", "3", "--workers", "1", code=1)
        [failure, *_] = answer["failures"]
        assert set(failure) == {"seed", "invariant", "schedule", "replay"}
        assert failure["replay"] == f"clerk simulate --seed {failure['seed']}"
        [kept, *_] = sorted(Path("simulation-failures").glob("*.json"))
        again = simulated(capsys, "--replay", str(kept), code=1)
        assert again["failures"][0]["invariant"] == failure["invariant"]
        assert run(["simulate", "--seed", str(failure["seed"]), "--workers", "1"]) == 1
    told = capsys.readouterr().out
    assert f"seed {failure['seed']}: {failure['invariant']} does not hold" in told and "──▶" in told
    simulated(capsys, "--replay", str(kept))

"""The second process: it answers page by page, tells what went wrong, and ends with the first one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence

import pytest

from verifier.repairs import BY_HAND
from verifier.second_process import EndedEarly, second_process
from verifier.violation import Violation

CORES = "sched_getaffinity"


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, CORES, lambda _pid: {0, 1})


def one_each(ids: Sequence[str]) -> list[Violation]:
    if "bad" in ids:
        raise ValueError("a page that cannot be checked")
    return [Violation("I9", clerk, "this process", f"process {os.getpid()}", BY_HAND) for clerk in ids]


def test_pages_are_checked_in_another_process() -> None:
    with second_process({}, one_each) as second:
        assert second is not None
        second.give(["clk_1", "clk_2"])
        found = second.take()
        second.give([])
        assert second.take() == []
    assert [each.clerk for each in found] == ["clk_1", "clk_2"]
    assert {each.found for each in found} != {f"process {os.getpid()}"}
    assert multiprocessing.active_children() == []


def test_what_goes_wrong_there_is_raised_here() -> None:
    with second_process({}, one_each) as second:
        assert second is not None
        second.give(["bad"])
        with pytest.raises(ValueError, match="cannot be checked"):
            second.take()
        second.give(["clk_1"])
        assert len(second.take()) == 1


def test_its_death_is_told_in_one_line() -> None:
    with second_process({}, one_each) as second:
        assert second is not None
        (process,) = multiprocessing.active_children()
        process.kill()
        process.join()
        with pytest.raises(EndedEarly, match="run it again"):
            second.take()


def test_one_core_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, CORES, lambda _pid: {0})
    with second_process({}, one_each) as second:
        assert second is None

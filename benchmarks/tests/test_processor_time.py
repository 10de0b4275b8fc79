"""Processor time of process trees, from what /proc says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.processor_time import TICKS, ProcessTime, family, read_processes, tree_seconds


def test_a_tree_has_all_below_it_and_the_children_that_have_ended() -> None:
    processes = {
        1: ProcessTime(0, 1.0, 0.5),
        2: ProcessTime(1, 2.0, 0.0),
        3: ProcessTime(2, 4.0, 0.0),
        9: ProcessTime(0, 100.0, 0.0),
    }
    assert sorted(family(1, processes)) == [1, 2, 3]
    assert tree_seconds(1, processes) == 7.5


def test_a_process_that_is_not_there_has_used_nothing() -> None:
    assert tree_seconds(4711, {}) == 0.0


def test_a_name_with_blanks_and_brackets_is_no_field(tmp_path: Path) -> None:
    (tmp_path / "77").mkdir()
    fields = ["S", "7", *["0"] * 9, str(TICKS), str(2 * TICKS), str(3 * TICKS), str(4 * TICKS)]
    (tmp_path / "77" / "stat").write_text(f"77 (a (odd) name) {' '.join(fields)} 20 0")
    (tmp_path / "self").mkdir()
    assert read_processes(tmp_path) == {77: ProcessTime(7, 3.0, 7.0)}

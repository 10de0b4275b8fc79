"""Medians, spreads and ratios."""

from __future__ import annotations

import pytest

from benchmarks.figures import Summary, percentile, ratio, rounded, summaries, summary


def test_a_summary_is_the_median_with_lowest_and_highest() -> None:
    assert summary([3.0, 1.0, 9.0]) == Summary(3.0, 1.0, 9.0)
    assert summary([1.0, 2.0]).median == 1.5


def test_no_run_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no run"):
        summary([])


def test_summaries_take_each_figure_from_the_runs_that_have_it() -> None:
    found = summaries([{"a": 1.0}, {"a": 3.0, "b": 5.0}])
    assert found == {"a": Summary(2.0, 1.0, 3.0), "b": Summary(5.0, 5.0, 5.0)}


def test_ratios_compare_runs_that_were_beside_each_other() -> None:
    ours, theirs = [{"x": 100.0}, {"x": 50.0}, {"x": 30.0}], [{"x": 10.0}, {"x": 5.0}, {"x": 1.0}]
    assert ratio(ours, theirs, "x") == Summary(10.0, 10.0, 30.0)


def test_a_ratio_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="divided by 0"):
        ratio([{"x": 1.0}], [{"x": 0.0}], "x")


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 50) == 51.0
    assert percentile(values, 99) == 100.0
    assert percentile([7.0], 99) == 7.0


@pytest.mark.parametrize(("value", "shown"), [(0.123456, 0.1235), (12.3456, 12.35), (198.04, 198.0), (9876.5, 9876.0)])
def test_figures_are_written_with_the_digits_that_they_are_worth(value: float, shown: float) -> None:
    assert rounded(value) == shown

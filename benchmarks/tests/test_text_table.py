"""Tables for terminals and for Markdown."""

from __future__ import annotations

import pytest

from benchmarks.text_table import markdown_table, number, text_table, with_spread


def test_the_first_column_is_left_and_the_others_right() -> None:
    assert text_table(["who", "orders/s"], [["ours", "198"], ["naive", "34.1"]]) == (
        "who    orders/s\nours        198\nnaive      34.1"
    )


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert markdown_table(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |"


@pytest.mark.parametrize(("value", "shown"), [(1234.5, "1,234"), (198.4, "198"), (34.06, "34.1"), (0.451, "0.45")])
def test_numbers_have_the_digits_that_they_are_worth(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_spread_is_shown_where_there_is_one() -> None:
    assert with_spread(198.0, 190.0, 204.0) == "198 (190–204)"
    assert with_spread(198.0, 198.0, 198.0) == "198"

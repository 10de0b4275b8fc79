"""Charts: everything stays inside the view box, an empty one can be drawn, and the longest bar fills the width."""

from __future__ import annotations

import pytest

from shop_manager.dashboard import figures_view as view
from shop_manager.dashboard import plots
from shop_manager.dashboard.plots import HEIGHT, LEFT, WIDTH, bars, line_plot, nice_top


@pytest.mark.parametrize(("most", "top"), [(0, 1), (1, 1), (3, 5), (10, 10), (11, 20), (97, 100), (501, 1000)])
def test_the_axis_ends_at_a_round_number(most: float, top: float) -> None:
    assert nice_top(most) == top


def test_lines_begin_and_end_at_the_edges_and_stay_inside() -> None:
    plot = line_plot([[0, 5, 10], [1, 1, 1]], ["a", "b", "c"])
    points = [tuple(map(float, each.split(","))) for each in plot.lines[0].split()]
    assert points[0][0] == LEFT and points[-1][0] == WIDTH and len(plot.lines) == 2
    assert all(0 <= y <= HEIGHT for _, y in points) and points[0][1] > points[-1][1]
    assert [tick.label for tick in plot.across] == ["0", "5", "10"]


def test_one_point_and_none_can_be_drawn() -> None:
    assert line_plot([[3]], ["now"]).lines == ["382.0,69.2"]
    assert line_plot([[]], []).lines == [""]


def test_the_longest_row_fills_the_width_and_parts_follow_each_other() -> None:
    rows = bars([[1, 1], [4, 0]], 400)
    assert [(bar.x, bar.width) for bar in rows[0]] == [(0, 100), (100, 100)]
    assert rows[1][0].width == 400
    assert bars([[0, 0]], 400)[0][0].width == 0 and bars([], 400) == []


def test_throughput_adds_up_all_ends() -> None:
    at = "2026-11-25T04:00:00.000Z"
    bars = [{"at": at, "opened": 3, "ended": {"failed": 1, "expired": 1}}]
    found = view.throughput({"throughput": bars, "bucket_seconds": 1800}, 24)
    assert (found.opened, found.ended) == (3, 2)
    [row] = found.rows
    assert (row.at, row.opened, row.ended, row.says) == (at, 3, 2, "11-25 04:00 UTC: 3 opened, 2 ended")
    assert row.href == (
        "/dashboard/clerks?created_after=2026-11-25T03%3A59%3A59.999Z&created_before=2026-11-25T04%3A30%3A00.000Z"
    )


def test_points_leave_nothing_out_between_them_and_those_of_nothing_lead_nowhere() -> None:
    strips = plots.places(5)
    assert strips[0].x == LEFT and sum(strip.width for strip in strips) == pytest.approx(WIDTH - LEFT)
    assert plots.places(0) == [] and len(plots.places(1)) == 1
    nothing = {"throughput": [{"at": "2026-11-25T04:00:00.000Z", "opened": 0, "ended": {}}], "bucket_seconds": 60}
    assert view.throughput(nothing, 1).rows[0].href == ""


def test_the_heat_map_says_step_hour_and_number_and_how_dark() -> None:
    at = ["2026-11-24T23:00:00.000Z", "2026-11-25T00:00:00.000Z"]
    found = view.heat({"hours": 1, "at": at, "steps": [{"step": "capture", "counts": [8, 2]}]})
    assert found.columns == [("11-24", "23", at[0]), ("11-25", "00", at[1])]
    [row] = found.rows
    assert (row.step, row.total, [(cell.orders, cell.level) for cell in row.cells]) == ("capture", 10, [(8, 4), (2, 1)])
    assert row.cells[0].says == "8 became stuck at capture, 11-24 23:00 to 00:00 UTC"
    assert "step=capture&since=2026-11-24T23" in row.cells[0].href and "until=2026-11-25T00" in row.cells[0].href
    assert view.heat({"hours": 1, "at": at, "steps": []}).rows == []


def test_ends_are_by_process_in_the_order_of_the_legend() -> None:
    [row] = view.ends([{"process": "standard/1", "status": "failed", "count": 2}])
    assert row.name == "standard/1" and row.numbers == ["0", "2", "0", "0"] and row.parts[1].width == view.BAR_WIDTH
    assert [name for _, name in view.end_words()] == ["completed", "failed", "expired", "canceled"]


def test_the_funnel_and_the_times_say_their_numbers_in_words() -> None:
    [group] = view.funnel([{"process": "p/1", "steps": [{"step": "a", "asked": 4, "done": 3}]}])
    assert group.rows[0].numbers == ("4", "3", "75 %")
    turns = [{"turn": "service", "count": 9, "p50_ms": 5, "p95_ms": 900}]
    step = {"process": "p/1", "step": "a", "count": 9, "p50_ms": 20, "p95_ms": 61_000, "turns": turns}
    [group] = view.step_times([step])
    assert group.rows[0].numbers == ["20 ms", "1.0 min", "9", "", "5 ms, 900 ms", ""]


@pytest.mark.parametrize("moments", [["11-23 15:21"] * 48, ["14:21"] * 60, ["14:21"] * 7, ["11-23 15:21"] * 2])
def test_no_time_is_printed_over_another_or_over_the_edge(moments: list[str]) -> None:
    places = [tick.place for tick in line_plot([[0.0] * len(moments)], moments).along]
    wide = plots.LETTER * len(moments[0])
    begins = [places[0], *(place - wide / 2 for place in places[1:])]
    ends = [places[0] + wide, *(place + wide / 2 for place in places[1:])]
    assert all(begin > end for begin, end in zip(begins[1:], ends, strict=False))
    assert len(places) < 2 or places[-1] + wide / 2 <= plots.WIDTH

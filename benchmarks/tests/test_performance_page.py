"""The page and its plots say what the results say, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.performance_page import read_results, write_page
from benchmarks.plot import Bar, bar_chart

SVG = "{http://www.w3.org/2000/svg}"


def spread(median: float, low: float, high: float) -> dict[str, float]:
    return {"median": median, "low": low, "high": high}


def result(bench: str = "engine") -> dict[str, Any]:
    return {
        "bench": bench,
        "at": "2026-11-30T08:30:00+00:00",
        "machine": {"cores": 2, "processor": "some processor", "load_before": 0.1},
        "versions": {"Python": "3.11.7", "naive": {"pika": "1.4.4"}, "ours": {"Shop Clerk": "0.1.0"}},
        "orders": {"engine": 2000},
        "runs": {"ours": {"engine": [{"orders_per_s": 500.0}] * 3}, "naive": {"engine": [{"orders_per_s": 34.0}] * 3}},
        "workers": {"ours": 1, "naive": 4},
        "medians": {
            "ours": {"engine": {"orders_per_s": spread(500.0, 490.0, 510.0), "wal_kb": spread(18.0, 18.0, 18.0)}},
            "naive": {"engine": {"orders_per_s": spread(34.0, 33.0, 35.0)}},
        },
        "ratios": {"ours.engine": {"naive": spread(14.7, 14.0, 15.2)}},
        "lacks": {"naive": "no undo"},
    }


def test_a_chapter_has_the_table_the_ratios_and_what_is_not_guaranteed(tmp_path: Path) -> None:
    write_page([result()], tmp_path / "page.md", tmp_path / "images")
    page = (tmp_path / "page.md").read_text()
    assert "clerk bench engine --runs 3" in page and "quiet; 3 runs" in page
    assert "| ours | 500 (490–510) | 18.0 |" in page
    assert "| naive, 4 workers a service | 34.0 (33.0–35.0) |  |" in page
    assert "| ours, engine | naive | 14.7 (14.0–15.2) |" in page
    assert "| naive | no undo |" in page and "naive: pika 1.4.4" in page
    assert "](images/performance/engine-engine.svg)" in page and (tmp_path / "images" / "engine-engine.svg").exists()


def test_plots_of_before_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / "old.svg").write_text("")
    write_page([result()], tmp_path / "page.md", tmp_path)
    assert [file.name for file in tmp_path.glob("*.svg")] == ["engine-engine.svg"]


def test_results_come_in_the_order_of_the_chapters(tmp_path: Path) -> None:
    for name in ("idle", "compare"):
        (tmp_path / f"{name}.json").write_text(json.dumps(result(name)))
    assert [each["bench"] for each in read_results(tmp_path)] == ["compare", "idle"]


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no JSON files"):
        read_results(tmp_path)


def test_bars_are_as_long_as_their_values_and_names_are_no_markup() -> None:
    svg = ElementTree.fromstring(
        bar_chart("a < b", "orders/s", [Bar("x & y", 50.0, 40.0, 60.0), Bar("z", 25.0, 25.0, 25.0)])
    )
    widths = [float(bar.attrib["width"]) for bar in svg.iter(f"{SVG}rect")]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert len(list(svg.iter(f"{SVG}line"))) == 1
    assert next(text.text for text in svg.iter(f"{SVG}text")) == "a < b"


def test_nothing_is_no_plot() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        bar_chart("a", "b", [])

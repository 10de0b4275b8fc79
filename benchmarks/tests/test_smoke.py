"""The smallest benchmark runs from end to end: a shop in one process, verified, with its tables and its page."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contest import Plan, play
from benchmarks.contestants import EMBEDDED
from benchmarks.machine import machine
from benchmarks.performance_page import write_page
from benchmarks.results import document, tables


def test_the_smallest_benchmark_of_a_shop_in_one_process(tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(["alone", "http"], {"alone": 2, "http": 5}, 1)
    outcome = play(None, [EMBEDDED], plan, said.append)
    result = document("embedded", plan, outcome, None, machine())
    alone, http = (result["medians"]["embedded"][phase] for phase in ("alone", "http"))
    assert alone["orders"]["median"] == 2
    assert alone["p50_ms"]["median"] > 0
    assert alone["cpu_ms.ours"]["median"] > 0
    assert http["orders"]["median"] >= 5
    assert "orders/s" in tables(result) and "embedded" in tables(result)
    assert said[-1].startswith("run 1/1 embedded: verified")
    write_page([result], tmp_path / "page.md", tmp_path / "images")
    assert "In one process" in (tmp_path / "page.md").read_text()

"""How many of what: arithmetic over what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.capacity_page import cost_of, most, page, processes, read

AN_ORDER = {"shop_manager": 2.0, "shop": 0.25, "risk": 0.3, "payment": 0.6, "fulfillment": 0.25}


def figures(**more: float) -> dict[str, dict[str, float]]:
    """Of a phase, as a result has them; `more` is added to what each spends."""
    spent = {f"cpu_ms.{name}": ms + more.get(name, 0.0) for name, ms in AN_ORDER.items()}
    found = {
        **spent,
        "cpu_ms.database": 2.8,
        "cpu_ms.broker": 0.28,
        "wal_kb": 40.0,
        "orders_per_s": 200.0,
        "commits": 0.3,
    }
    return {name: {"median": value, "low": value, "high": value} for name, value in found.items()}


def results() -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
    machine = {"cores": 2, "processor": "some processor"}
    compare = {
        "at": "2026-11-30T08:30:00+00:00",
        "machine": machine,
        "medians": {"ours": {"engine": figures(), "http": figures(shop_manager=3.0)}},
    }
    hot = {"medians": {"ours": {"one_article": figures(), "many_articles": figures()}}}
    two = figures() | {"cpu_ms.shop_manager-2": {"median": 0.2, "low": 0.2, "high": 0.2}}
    return compare, hot, {"medians": {"ours": {"engine": figures()}, "ours-2": {"engine": two}}}


def test_taking_orders_in_costs_what_the_engine_alone_does_not() -> None:
    cost = cost_of(results()[0])
    assert (cost.http, cost.engine, cost.all_in_one) == (3.0, 2.0, 5.0)
    assert cost.slowest == "payment"
    assert cost.services["risk"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("milliseconds", "orders_per_s", "wanted"), [(7.0, 100, 1), (7.0, 101, 2), (2.0, 10_000, 29), (0.1, 1, 1)]
)
def test_seven_tenths_of_a_core_are_planned_with(milliseconds: float, orders_per_s: int, wanted: int) -> None:
    assert processes(milliseconds, orders_per_s) == wanted


def test_how_much_one_can_do_has_two_digits() -> None:
    assert most(5.0) == "140"
    assert most(2.8, 16) == "4,000"


def test_the_page_has_the_tables() -> None:
    text = page(*results())
    assert "| engine, processes | 1 | 1 | 3 | 29 |" in text
    assert "| database, cores | 1 | 1 | 4 | 40 |" in text
    assert "| one article | 200 | 2.80 |" in text
    assert "| ours-2 | 200 | 2.20 |" in text
    assert "Here four spend 1.10 times as much of it as one." in text


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "compare.json").write_text(json.dumps(results()[0]))
    with pytest.raises(SystemExit, match=r"has no hot\.json: run `clerk bench hot --json"):
        read(tmp_path, ("compare", "hot"))

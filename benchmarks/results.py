"""The result of a benchmark: as one JSON document, and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.contest import Outcome, Plan
from benchmarks.contestants import CONTESTANTS
from benchmarks.figures import ratio
from benchmarks.machine import versions
from benchmarks.text_table import text_table, with_spread
from scenario_tests.servers import Servers

AGAINST = {"engine": "orders_per_s", "alone": "p50_ms", "http": "orders_per_s"}
"""The figure of each phase that is compared."""
COMPARED = ("alone", "engine", "http", "undone")
"""Phases whose figures are the same for everybody."""
FIGURES = {
    "orders_per_s": "orders/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "cpu_ms.ours": "own ms",
    "cpu_ms.database": "database ms",
    "cpu_ms.broker": "broker ms",
    "cpu_ms.load": "load ms",
    "wal_kb": "WAL KB",
    "commits": "commits",
    "per_order.statements": "statements",
    "opened_per_s": "opened/s",
    "refused": "refused",
    "post_session_p50_ms": "POST p50 ms",
    "post_session_p99_ms": "POST p99 ms",
    "get_session_p50_ms": "GET p50 ms",
    "dashboard_home_p50_ms": "home p50 ms",
}
"""Figures and their headings; all but the rates and times are an order's."""


def document(
    bench: str, plan: Plan, outcome: Outcome, servers: Servers | None, before: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that was measured. `before`: what the machine was like when it began."""
    return {
        "bench": bench,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(before),
        "versions": {**versions(servers), **outcome.versions},
        "orders": dict(plan.orders),
        "runs": outcome.runs,
        "workers": outcome.workers,
        "medians": outcome.medians(),
        "ratios": ratios(outcome),
        "lacks": {
            name: CONTESTANTS[name].lacks for name in outcome.runs if name in CONTESTANTS and CONTESTANTS[name].lacks
        },
    }


def ratios(outcome: Outcome) -> dict[str, dict[str, dict[str, float]]]:
    """Of ours to each other one, run by run: `engine` and `http` more is better, `alone` less is."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in ("ours", "embedded"):
        for phase, runs in outcome.runs.get(name, {}).items():
            figure = AGAINST.get(phase)
            for other, phases in outcome.runs.items():
                against = phases.get(phase) or (phases.get("engine") if phase == "http" else None)
                if figure and against and other != name:
                    key = f"{name}.{phase}"
                    found.setdefault(key, {})[other] = ratio(runs, against, figure).as_json()
    return found


def tables(result: Mapping[str, Any]) -> str:
    """A table of each phase, with the ratios below."""
    parts = []
    phases = list(dict.fromkeys(phase for phases in result["medians"].values() for phase in phases))
    for phase in phases:
        its = {name: phases[phase] for name, phases in result["medians"].items() if phase in phases}
        parts.append(text_table(*phase_rows(result, phase, its)))
    parts += [_ratio_line(key, others) for key, others in result["ratios"].items()]
    return "\n\n".join(parts)


def phase_rows(
    result: Mapping[str, Any], phase: str, its: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], list[list[str]]]:
    """The heading and rows of a phase: contestants in rows where they are compared, else figures in rows."""
    if phase in COMPARED:
        shown = [figure for figure in FIGURES if any(figure in each for each in its.values())]
        rows = [[title(result, who), *(cell(each, figure) for figure in shown)] for who, each in its.items()]
        return [phase, *(FIGURES[figure] for figure in shown)], rows
    figures = dict.fromkeys(figure for each in its.values() for figure in each)
    rows = [[figure.replace("_", " "), *(cell(each, figure) for each in its.values())] for figure in figures]
    return [phase.replace("_", " "), *(title(result, who) for who in its)], rows


def title(result: Mapping[str, Any], name: str) -> str:
    """A contestant, with its workers."""
    workers = result["workers"].get(name, 1)
    return f"{name}, {workers} workers a service" if workers > 1 else name


def cell(figures: Mapping[str, Mapping[str, float]], name: str) -> str:
    """A figure with its spread; empty where there is none."""
    return with_spread(**figures[name]) if name in figures else ""


def _ratio_line(key: str, others: Mapping[str, Mapping[str, float]]) -> str:
    said = ", ".join(f"{with_spread(**each)} × {other}" for other, each in others.items())
    return f"{key}: {said}"

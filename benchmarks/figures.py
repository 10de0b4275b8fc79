"""Medians of repeated runs, their spread, and ratios between contestants. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Figures = dict[str, float]
"""What one run has measured, by name; the name says the unit: `orders_per_s`, `cpu_ms.database`, `p50_ms`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A median and the lowest and highest of the values it is of."""

    median: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        return {"median": rounded(self.median), "low": rounded(self.low), "high": rounded(self.high)}


def summary(values: Sequence[float]) -> Summary:
    """Of one figure over all runs; ValueError when there is none."""
    if not values:
        raise ValueError("there is no run to sum up")
    return Summary(median(values), min(values), max(values))


def summaries(runs: Sequence[Mapping[str, float]]) -> dict[str, Summary]:
    """Of each figure that any run has."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: summary([run[name] for run in runs if name in run]) for name in names}


def ratio(runs: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]], name: str) -> Summary:
    """How many times as much as the others', run by run: what was measured one after the other is compared.

    ValueError when one of them does not have this figure, or the other's is 0.
    """
    pairs = [
        (run[name], other[name]) for run, other in zip(runs, others, strict=False) if name in run and name in other
    ]
    if any(other == 0 for _, other in pairs):
        raise ValueError(f"{name}: nothing can be divided by 0")
    return summary([one / other for one, other in pairs])


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which that share of the others is, by the nearest rank; ValueError of no values."""
    if not values:
        raise ValueError("there is no value")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def rounded(value: float) -> float:
    """To four significant digits, which is more than any of these figures is worth."""
    return float(f"{value:.4g}") if abs(value) < 1000 else float(round(value))

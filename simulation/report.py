"""The report of a simulation: how much was run, how often each rare event happened, and each failure made small."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from simulation.cases import Case, Result
from simulation.chart import chart
from simulation.monitor import RARE_EVENTS
from simulation.schedule import faults_as_json, write_schedule
from simulation.shrink import smallest

COUNTED_FROM = 1000
"""Seeds from which on each rare event must have happened (docs/design/faults.md)."""
MAX_SHRUNK = 5
"""Failures that are made small; the others are reported as they are."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`seed`: None where no seed drew the faults. `schedule`: the smallest found. `replay`: one command."""

    seed: int | None
    invariant: str
    schedule: Sequence[dict[str, str]]
    replay: str
    what: str = ""
    chart: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "invariant": self.invariant,
            "schedule": list(self.schedule),
            "replay": self.replay,
        }


@dataclass
class Report:
    """`counters`: the rare events. `trace_hash` is the same for the same cases, on every machine."""

    scenarios: int = 0
    seeds: int = 0
    failures: list[Failure] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(RARE_EVENTS, 0)))
    seconds: float = 0.0
    failed: list[Result] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hash = blake2b(digest_size=16)

    @property
    def trace_hash(self) -> str:
        return self._hash.hexdigest()

    def take(self, results: Iterable[Result], progress: Callable[[int], None] = lambda _done: None) -> None:
        for result in results:
            self.scenarios += 1
            self.seeds += result.case.faults is None
            self.counters.update(result.rare)
            self._hash.update(result.digest.encode())
            if result.findings:
                self.failed.append(result)
            progress(self.scenarios)

    def close(
        self, run: Callable[[Case], Result], keep_in: Path | None, *, flags: str = "", replayed: Path | None = None
    ) -> None:
        """Make the failures small and keep their schedules. `flags` a replay needs; `replayed`: where they are kept."""
        for number, result in enumerate(self.failed):
            small = smallest(result, run) if number < MAX_SHRUNK else result
            self.failures.append(
                _failure(result, small, replayed or (keep_in and _write_schedule(keep_in, small)), flags)
            )
        never = [name for name in RARE_EVENTS if not self.counters[name]] if self.seeds >= COUNTED_FROM else []
        for name in never:
            what = f"{name}: never in {self.seeds} seeds, so the simulation shows nothing about it"
            self.failures.append(Failure(None, "rare", [], "", what))

    def as_json(self) -> dict[str, Any]:
        return {
            "scenarios": self.scenarios,
            "seeds": self.seeds,
            "failures": [failure.as_json() for failure in self.failures],
            "trace_hash": self.trace_hash,
            "counters": dict(self.counters),
            "seconds": round(self.seconds, 3),
        }


def _write_schedule(folder: Path, small: Result) -> Path:
    """Writes its schedule into the folder, and returns where."""
    invariant = small.findings[0].invariant
    path = folder / f"{invariant}-{re.sub('[^A-Za-z0-9.]+', '-', small.case.name)}.json"
    write_schedule(path, small.case, invariant)
    return path


def _failure(result: Result, small: Result, kept: Path | None, flags: str) -> Failure:
    case, finding = result.case, small.findings[0]
    drawn = case.faults is None
    replay = f"clerk simulate {f'--seed {case.seed}' if drawn else f'--replay {kept}'}{flags}"
    what = f"{finding.clerk or ''} {finding.what}".strip()
    seed = case.seed if drawn else None
    return Failure(seed, finding.invariant, faults_as_json(small.injected), replay, what, chart(small.lines))

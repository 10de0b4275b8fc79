"""The report of a nemesis run: one JSON line for each round while it runs, and a page to read at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from scenario_tests.faults.record import HELD, commit

LINES, PAGE = "rounds.jsonl", "report.md"


@dataclass
class Round:
    """`in_flight`: how many Clerks waited for a service when the faults fired; `violations`: what `verify` said."""

    round: int
    seed: int
    faults: list[str]
    rows: list[str]
    evidence: list[str] = field(default_factory=list)
    in_flight: int = 0
    orders: int = 0
    seconds_to_quiet: float | None = None
    violations: list[str] = field(default_factory=list)
    outcome: str = "not over"

    @property
    def held(self) -> bool:
        return self.outcome == HELD

    def as_line(self) -> dict[str, object]:
        """As it is recorded: the recordings call the faults `harms` and the violations `drifts`."""
        names = {"faults": "harms", "violations": "drifts"}
        return {names.get(name, name): value for name, value in asdict(self).items()}


class ChaosReport:
    """The folder that is kept of a run."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.rounds: list[Round] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, one: Round) -> None:
        self.rounds.append(one)
        line = {**one.as_line(), "commit": commit(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
        with (self.folder / LINES).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")

    @property
    def held(self) -> bool:
        """Was anything played, and did all of it hold?"""
        return bool(self.rounds) and all(one.held for one in self.rounds)

    def write(self) -> Path:
        """The page to read; returns where it is."""
        page = self.folder / PAGE
        page.write_text(as_page(self.rounds, self.seed), encoding="utf-8")
        return page


def as_page(rounds: Sequence[Round], seed: int) -> str:
    """Markdown: a summary, then a line for each round."""
    quiet = [one.seconds_to_quiet for one in rounds if one.seconds_to_quiet is not None]
    times = f"median {median(quiet):.1f} s, worst {max(quiet):.1f} s" if quiet else "never"
    broken = [one for one in rounds if not one.held]
    lines = [
        "# Chaos",
        "",
        f"Seed {seed}, commit {commit()}: {len(rounds)} rounds, {sum(len(one.faults) for one in rounds)} faults, "
        f"{sum(one.orders for one in rounds)} orders, {sum(one.in_flight for one in rounds)} of them in flight when "
        f"a fault fired. {len(broken)} rounds broke. Quiet again after: {times}.",
        "",
        "| round | faults | in flight | orders | quiet after | |",
        "|---|---|---|---|---|---|",
        *(_line(one) for one in rounds),
    ]
    for one in broken:
        lines += [
            "",
            f"## Round {one.round}: {', '.join(one.faults)}",
            "",
            one.outcome,
            "",
            *one.evidence,
            *one.violations,
        ]
    return "\n".join(lines) + "\n"


def _line(one: Round) -> str:
    quiet = "" if one.seconds_to_quiet is None else f"{one.seconds_to_quiet:.1f} s"
    told = "held" if one.held else "BROKE"
    return f"| {one.round} | {'; '.join(one.faults)} | {one.in_flight} | {one.orders} | {quiet} | {told} |"

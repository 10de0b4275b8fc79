"""Plays contestants in turns, so that whatever else the machine does meets all of them, and sums up the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from benchmarks.contestants import Contestant, Round, fresh_place
from benchmarks.figures import Figures, summaries
from benchmarks.progress import say
from benchmarks.text_table import number
from scenario_tests.servers import Servers

FEWEST = 20
TRIAL_SHARE = 0.3
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play: these phases of each contestant that has them, so many orders of each, so many runs."""

    phases: Sequence[str]
    orders: Mapping[str, int]
    runs: int


@dataclass
class Outcome:
    """`runs`: by contestant and phase the figures of each run."""

    runs: dict[str, dict[str, list[Figures]]] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    workers: dict[str, int] = field(default_factory=dict)

    def record(self, contestant: str, phase: str, figures: Figures) -> None:
        self.runs.setdefault(contestant, {}).setdefault(phase, []).append(figures)

    def medians(self) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """By contestant, phase and figure: its median and spread."""
        return {
            name: {
                phase: {figure: each.as_json() for figure, each in summaries(runs).items()}
                for phase, runs in phases.items()
            }
            for name, phases in self.runs.items()
        }


def play(servers: Servers | None, contestants: Sequence[Contestant], plan: Plan, tell: Say = say) -> Outcome:
    """Every contestant once in each run, one after the other. Raises what `verify` of a contestant raises."""
    outcome = Outcome()
    for contestant in contestants:
        outcome.workers[contestant.name] = best_workers(servers, contestant, plan, tell)
    for turn in range(1, plan.runs + 1):
        for contestant in contestants:
            workers = outcome.workers[contestant.name]
            began = monotonic()
            title = f"run {turn}/{plan.runs} {contestant.name}"
            with fresh_place(servers) as place, contestant.start(place, workers) as started:
                for phase, orders in phases_of(contestant, started, plan):
                    figures = started.phases[phase](orders)
                    tell(f"{title}: {phase} {shown(figures)}")
                    outcome.record(contestant.name, phase, figures)
                started.verify()
                outcome.versions[contestant.name] = started.versions
            tell(f"{title}: verified, {monotonic() - began:.0f} s in all")
    return outcome


def phases_of(contestant: Contestant, started: Round, plan: Plan) -> Iterator[tuple[str, int]]:
    """The phases to measure on it, with the orders of each, after it has been warmed up."""
    started.warm_up()
    for phase in plan.phases:
        if phase in started.phases:
            yield phase, orders_for(contestant, phase, plan)


def best_workers(servers: Servers | None, contestant: Contestant, plan: Plan, tell: Say) -> int:
    """With how many workers it plays the most orders a second, by a short trial."""
    if len(contestant.workers) == 1 or "engine" not in plan.phases:
        return contestant.workers[0]
    rates: dict[int, float] = {}
    for workers in contestant.workers:
        with fresh_place(servers) as place, contestant.start(place, workers) as started:
            rates[workers] = _rate(started, int(orders_for(contestant, "engine", plan) * TRIAL_SHARE))
        tell(f"{contestant.name} with {workers} workers a service: {rates[workers]:.1f} orders/s")
    return max(rates, key=lambda workers: rates[workers])


def _rate(started: Round, orders: int) -> float:
    started.warm_up()
    return started.phases["engine"](max(FEWEST, orders))["orders_per_s"]


def orders_for(contestant: Contestant, phase: str, plan: Plan) -> int:
    """How many orders it plays in this phase; slower contestants play fewer, but as many alone."""
    share, wanted = 1.0 if phase == "alone" else contestant.share, plan.orders[phase]
    return max(min(wanted, FEWEST), int(wanted * share))


def shown(figures: Figures) -> str:
    """The figures that matter most, in a line."""
    names = {"orders_per_s": "{:.1f} orders/s", "p50_ms": "p50 {:.1f} ms", "cpu_ms.ours": "ours {:.2f} ms"}
    names |= {"cpu_ms.database": "database {:.2f} ms", "cpu_ms.broker": "broker {:.2f} ms", "wal_kb": "WAL {:.1f} KB"}
    said = [words.format(figures[name]) for name, words in names.items() if name in figures]
    return ", ".join(said or [f"{name} {number(value)}" for name, value in figures.items()])

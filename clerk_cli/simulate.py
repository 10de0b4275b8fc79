"""`clerk simulate`: plays the whole shop in simulated time with faults, and checks that mutants are found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import typer

from clerk_cli.errors import CliError
from clerk_cli.terminal import console, grid, plain, print_json, progress_bar
from simulation.campaign import RunCases, case_runner, cores
from simulation.cases import Case, Result, case_of_seed, run_case
from simulation.exhaustive import crash_pairs, single_crashes, thinned
from simulation.mutants.mutation_run import MutantResult, run_mutants
from simulation.report import Failure, Report
from simulation.schedule import BadSchedule, read_schedule
from simulation.stores import StoreKind, Stores

SEEDS = 1000
MOST_PAIRS = 20_000
"""How many pairs of crashes are played unless --most says another number."""
Exhaustive = str
"""`none`, `single` or `pairs`."""


@dataclass(frozen=True, slots=True)
class SimulateFlags:
    """The flags of `clerk simulate`. `seed`: the first one; without `seeds` the only one."""

    seeds: int | None
    seed: int | None
    exhaustive: Exhaustive
    most: int | None
    sqlite: bool
    replay: Path | None
    keep: Path
    workers: int | None
    as_json: bool

    @property
    def kind(self) -> StoreKind:
        return "sqlite" if self.sqlite else "memory"

    @property
    def replay_flags(self) -> str:
        """The flags that the command for a replay needs."""
        return " --sqlite" if self.sqlite else ""

    def seeded_cases(self) -> Sequence[Case]:
        """One case for each seed that was asked for."""
        if self.seeds is None and (self.exhaustive != "none" or self.replay):
            seeds = range(0) if self.seed is None else range(self.seed, self.seed + 1)
        else:
            first = self.seed or 0
            count = self.seeds if self.seeds is not None else (SEEDS if self.seed is None else 1)
            seeds = range(first, first + count)
        return [case_of_seed(seed) for seed in seeds]


def run_simulate(flags: SimulateFlags) -> None:
    """Play what is wanted and print the results; exits 1 when an invariant did not hold."""
    began = monotonic()
    report, titles = Report(), list[str]()
    workers = 1 if flags.replay else flags.workers or cores()
    with progress_bar(flags.as_json) as bar:
        with case_runner(flags.kind, workers, keep_points=flags.exhaustive != "none") as run_cases:
            for title, cases in _parts(flags, run_cases):
                titles.append(title)
                task = bar.add_task(title, total=len(cases))
                report.take(run_cases(cases), lambda _done, task=task: bar.advance(task))  # type: ignore[misc]  # bound at once
        if report.failed:
            bar.add_task("making failures small", total=None)
            _shrink_failures(report, flags)
        else:
            report.close(_nothing_failed, None)
    report.seconds = monotonic() - began
    if flags.as_json:
        print_json(report.as_json())
    else:
        _show(report, titles)
    if report.failures:
        raise typer.Exit(1)


def _parts(flags: SimulateFlags, run_cases: RunCases) -> Iterator[tuple[str, Sequence[Case]]]:
    if flags.replay:
        try:
            yield "replay", [read_schedule(flags.replay).case()]
        except BadSchedule as error:
            raise CliError(str(error)) from None
        return
    if cases := flags.seeded_cases():
        yield f"{len(cases):,} seeds from {cases[0].seed} on", cases
    if flags.exhaustive != "none":
        yield _some("a crash at every call", single_crashes(run_cases), flags.most)
    if flags.exhaustive == "pairs":
        yield _some("two crashes", list(crash_pairs(run_cases)), flags.most or MOST_PAIRS)


def _some(title: str, cases: Sequence[Case], most: int | None) -> tuple[str, Sequence[Case]]:
    """At most `most` of the cases, with a title that says how many of how many are played."""
    chosen = thinned(cases, most)
    of = "all" if len(chosen) == len(cases) else f"{len(chosen):,} of"
    return f"{title} ({of} {len(cases):,})", chosen


def _shrink_failures(report: Report, flags: SimulateFlags) -> None:
    with TemporaryDirectory(prefix="clerk-simulate-") as folder:
        stores = Stores(flags.kind, Path(folder))
        report.close(
            partial(run_case, stores=stores, keep_lines=True),
            flags.keep,
            flags=flags.replay_flags,
            replayed=flags.replay,
        )
        stores.close()


def _nothing_failed(case: Case) -> Result:
    raise RuntimeError(f"{case.name} has not failed")


def run_wrong_builds(workers: int | None, as_json: bool) -> None:
    """Print which mutant was found out by which invariant; exits 1 when one was not, or not by the right one."""
    with progress_bar(as_json) as bar:
        task = bar.add_task("wrong builds", total=None)
        table = run_mutants(workers or cores(), lambda _result: bar.advance(task))
    if as_json:
        print_json({"builds": [result.as_json() for result in table], "caught": sum(result.caught for result in table)})
    else:
        _show_mutants(table)
    if not all(result.caught for result in table):
        raise typer.Exit(1)


def _show(report: Report, titles: Sequence[str]) -> None:
    out = console()
    out.print(plain("played: " + ", ".join(titles)))
    for failure in report.failures:
        _show_failure(failure, out.print)
    out.print(plain(", ".join(f"{name} {count:,}" for name, count in report.counters.items()), "dim"))
    rate = report.scenarios / report.seconds * 60
    line = f"{report.scenarios:,} scenarios, {report.seeds:,} of them drawn by a seed, {report.seconds:.1f} s"
    out.print(plain(f"{line}, {rate:,.0f} a minute; trace {report.trace_hash}"))
    if report.failures:
        out.print(plain(f"{len(report.failures):,} failed", "bold red"))
    else:
        out.print(plain("every invariant held", "bold green"))


def _show_failure(failure: Failure, out: Callable[[object], None]) -> None:
    where = "" if failure.seed is None else f"seed {failure.seed}: "
    out(plain(f"{where}{failure.invariant} does not hold: {failure.what}", "bold red"))
    for line in failure.chart:
        out(line)
    for fault in failure.schedule:
        out(plain(f"    {fault['fault']} at {fault['at']}", "red"))
    if failure.replay:
        out(plain(f"    {failure.replay}", "bold"))


def _show_mutants(table: Sequence[MutantResult]) -> None:
    shown = grid("wrong build", "what it does", "found out by", "at seed", "")
    for result in table:
        verdict = plain("caught", "green") if result.caught else plain("NOT CAUGHT", "bold red")
        seed = "" if result.seed is None else str(result.seed)
        shown.add_row(plain(result.mutant), plain(result.wrong), plain(result.invariant or ""), plain(seed), verdict)
    console().print(shown)

"""`clerk simulate`: the whole shop in simulated time with everything going wrong, and the checker put to the test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clerk_cli.errors import Trouble
from clerk_cli.terminal import console, grid, plain, print_json
from simulation.campaign import Play, cores, players
from simulation.cases import Case, Result, of_seed, run
from simulation.exhaustive import pairs, singles, thinned
from simulation.report import Failure, Report
from simulation.schedule import BadSchedule, read_schedule
from simulation.stores import Kind, Stores
from simulation.wrong_builds.trial import Kill, kills

SEEDS = 1000
MOST_PAIRS = 20_000
"""So many pairs are played unless another budget is named."""
Exhaustive = str
"""`none`, `single` or `pairs`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `clerk simulate` was asked for. `seed`: the first one; without `seeds` the only one."""

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
    def kind(self) -> Kind:
        return "sqlite" if self.sqlite else "memory"

    @property
    def flags(self) -> str:
        """What a replay has to say again."""
        return " --sqlite" if self.sqlite else ""

    def drawn(self) -> Sequence[Case]:
        """The cases of the seeds."""
        if self.seeds is None and (self.exhaustive != "none" or self.replay):
            seeds = range(0) if self.seed is None else range(self.seed, self.seed + 1)
        else:
            first = self.seed or 0
            count = self.seeds if self.seeds is not None else (SEEDS if self.seed is None else 1)
            seeds = range(first, first + count)
        return [of_seed(seed) for seed in seeds]


def run_simulate(wanted: Wanted) -> None:
    """Play what is wanted, tell what came of it; exits 1 when an invariant did not hold."""
    began = monotonic()
    report, titles = Report(), list[str]()
    workers = 1 if wanted.replay else wanted.workers or cores()
    with _bar(wanted.as_json) as bar:
        with players(wanted.kind, workers, keep_ports=wanted.exhaustive != "none") as play:
            for title, cases in _parts(wanted, play):
                titles.append(title)
                task = bar.add_task(title, total=len(cases))
                report.take(play(cases), lambda _done, task=task: bar.advance(task))  # type: ignore[misc]  # bound at once
        if report.failed:
            bar.add_task("making failures small", total=None)
            _close(report, wanted)
        else:
            report.close(_nothing_failed, None)
    report.seconds = monotonic() - began
    if wanted.as_json:
        print_json(report.as_json())
    else:
        _show(report, titles)
    if report.failures:
        raise typer.Exit(1)


def _parts(wanted: Wanted, play: Play) -> Iterator[tuple[str, Sequence[Case]]]:
    if wanted.replay:
        try:
            yield "replay", [read_schedule(wanted.replay).case()]
        except BadSchedule as error:
            raise Trouble(str(error)) from None
        return
    if drawn := wanted.drawn():
        yield f"{len(drawn):,} seeds from {drawn[0].seed} on", drawn
    if wanted.exhaustive != "none":
        yield _some("a crash at every call", singles(play), wanted.most)
    if wanted.exhaustive == "pairs":
        yield _some("two crashes", list(pairs(play)), wanted.most or MOST_PAIRS)


def _some(title: str, cases: Sequence[Case], most: int | None) -> tuple[str, Sequence[Case]]:
    """With a title that says honestly how many of them are played."""
    chosen = thinned(cases, most)
    of = "all" if len(chosen) == len(cases) else f"{len(chosen):,} of"
    return f"{title} ({of} {len(cases):,})", chosen


def _close(report: Report, wanted: Wanted) -> None:
    with TemporaryDirectory(prefix="clerk-simulate-") as folder:
        stores = Stores(wanted.kind, Path(folder))
        play = partial(run, stores=stores, keep_lines=True)
        report.close(play, wanted.keep, flags=wanted.flags, replayed=wanted.replay)
        stores.close()


def _nothing_failed(case: Case) -> Result:
    raise RuntimeError(f"{case.name} has not failed")


def run_wrong_builds(workers: int | None, as_json: bool) -> None:
    """Print the table of kills; exits 1 when a wrong build was not found out by the right invariant."""
    with _bar(as_json) as bar:
        task = bar.add_task("wrong builds", total=None)
        table = kills(workers or cores(), lambda _kill: bar.advance(task))
    if as_json:
        print_json({"builds": [kill.as_json() for kill in table], "caught": sum(kill.caught for kill in table)})
    else:
        _show_kills(table)
    if not all(kill.caught for kill in table):
        raise typer.Exit(1)


@contextmanager
def _bar(as_json: bool) -> Iterator[Progress]:
    """For people at a terminal; results go where they always go."""
    shown = Console(stderr=True) if as_json or not sys.stdout.isatty() else console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        yield bar


def _show(report: Report, titles: Sequence[str]) -> None:
    out = console()
    out.print(plain("played: " + ", ".join(titles)))
    for failure in report.failures:
        _show_failure(failure, out.print)
    out.print(plain(", ".join(f"{name} {count:,}" for name, count in report.counters.items()), "dim"))
    rate = report.scenarios / report.seconds * 60
    told = f"{report.scenarios:,} scenarios, {report.seeds:,} of them drawn by a seed, {report.seconds:.1f} s"
    out.print(plain(f"{told}, {rate:,.0f} a minute; trace {report.trace_hash}"))
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


def _show_kills(table: Sequence[Kill]) -> None:
    shown = grid("wrong build", "what it does", "found out by", "at seed", "")
    for kill in table:
        verdict = plain("caught", "green") if kill.caught else plain("NOT CAUGHT", "bold red")
        seed = "" if kill.seed is None else str(kill.seed)
        shown.add_row(plain(kill.build), plain(kill.wrong), plain(kill.invariant or ""), plain(seed), verdict)
    console().print(shown)

"""What `clerk bench` runs: each benchmark by its name, with its sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.contest import Plan, play
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.machine import machine
from benchmarks.progress import say
from benchmarks.results import document, tables
from benchmarks.seeded import with_ended, with_ended_embedded, with_live
from scenario_tests.servers import private_servers


class UnknownName(ValueError):
    """There is no such benchmark, or no such contestant."""


@dataclass(frozen=True, slots=True)
class Contest:
    """A benchmark of several contestants: who takes part unless others are named, and how much is played."""

    phases: Sequence[str]
    only: Sequence[str]
    orders: Mapping[str, int]


SIZES = {"alone": 30, "engine": 2000, "http": 2000, "undone": 1000}
BIG = 20_000
"""Clerks of the seeded shops, unless another number is asked for."""
EVERYBODY = ["ours", "embedded", "naive", "outbox", "spike"]
HOT = ["one_article", "many_articles", "one_customer", "many_customers"]
CONTESTS = {
    "compare": Contest(["alone", "engine", "http"], EVERYBODY, SIZES),
    "alone": Contest(["alone"], EVERYBODY, SIZES),
    "engine": Contest(["engine"], ["ours", "naive", "outbox", "spike"], SIZES),
    "http": Contest(["http", "engine"], ["ours", "embedded", "naive"], SIZES),
    "embedded": Contest(["alone", "http"], ["embedded"], SIZES),
    "undone": Contest(["undone", "engine"], ["ours"], SIZES),
    "scale": Contest(["engine"], ["ours", "ours-2", "ours-4"], SIZES),
    "hot": Contest(HOT, ["ours"], dict.fromkeys(HOT, 200)),
    "idle": Contest(["idle"], ["ours", "embedded"], {"idle": 0}),
    "memory": Contest(["memory"], ["ours", "embedded"], {"memory": 5_000}),
    "disk": Contest(["disk"], ["ours"], {"disk": 2_000}),
    "overload": Contest(["overload"], ["ours"], {"overload": 1_000}),
    "away": Contest(["one_dead", "one_slow"], ["ours"], {"one_dead": 30, "one_slow": 30}),
    "backlog": Contest(["engine"], ["ours"], {"engine": 10_000}),
    "flat": Contest(["alone", "engine"], ["ended-1000", "ended-many"], {"alone": 30, "engine": 1000}),
    "verify": Contest(["verified"], ["ended-many", "embedded-many"], {"verified": 0}),
    "live-verify": Contest(["verified_live"], ["ended-many"], {"verified_live": 2_000}),
    "start": Contest(["started", "alone"], ["live-many"], {"started": 0, "alone": 10}),
    "deadlines": Contest(["overdue"], ["overdue-many"], {"overdue": 0}),
}

ALL = "all"
PARTS_OF_COMPARE = ("alone", "engine", "http", "embedded")


def contestants_of(clerks: int) -> dict[str, Contestant]:
    """By name; those that were seeded have so many Clerks."""
    seeded = [
        with_ended("ended-1000", 1_000),
        with_ended("ended-many", clerks),
        with_ended_embedded("embedded-many", clerks),
        with_live("live-many", clerks, overdue=False),
        with_live("overdue-many", clerks, overdue=True),
    ]
    return CONTESTANTS | {each.name: each for each in seeded}


@dataclass(frozen=True, slots=True)
class Options:
    """`orders`: of each phase but `alone`; None is the benchmark's own size. `only`: contestants by name.

    `clerks`: how many a seeded shop has.
    """

    runs: int = 3
    orders: int | None = None
    clerks: int = BIG
    only: Sequence[str] = ()
    json_file: Path | None = None


def run(name: str, options: Options) -> str:
    """Run a benchmark and write its JSON; returns its tables. UnknownName, or whatever has gone wrong in a run.

    `all` runs everything, what is compared so often as wanted and the rest once; its JSON goes into a folder.
    """
    if name != ALL:
        return _run_one(name, options)
    folder = options.json_file or Path("bench-results")
    parts = []
    for each in CONTESTS:
        if each not in PARTS_OF_COMPARE:
            runs = options.runs if each == "compare" else 1
            parts.append(_run_one(each, replace(options, runs=runs, json_file=folder / f"{each}.json")))
    return "\n\n".join(parts)


def _run_one(name: str, options: Options) -> str:
    if name not in CONTESTS:
        raise UnknownName(f"there is no benchmark {name!r}; there are {ALL}, {', '.join(CONTESTS)}")
    contest, known = CONTESTS[name], contestants_of(options.clerks)
    for wanted in options.only:
        if wanted not in known:
            raise UnknownName(f"there is no contestant {wanted!r}; there are {', '.join(known)}")
    contestants = [known[each] for each in options.only or contest.only]
    sizes = dict(contest.orders)
    if options.orders is not None:
        sizes |= {phase: options.orders for phase in sizes if phase != "alone" or contest.phases == ["alone"]}
    plan = Plan(contest.phases, sizes, options.runs)
    before = machine()
    say(f"{name}: {', '.join(each.name for each in contestants)}, {options.runs} runs")
    needed = any(each.needs_servers for each in contestants)
    with private_servers() if needed else nullcontext() as servers:
        result = document(name, plan, play(servers, contestants, plan), servers, before)
    write(result, options.json_file)
    return tables(result)


def write(result: Mapping[str, Any], file: Path | None) -> None:
    """Write the JSON document, if it is wanted."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        say(f"written to {file}")

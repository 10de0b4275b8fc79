"""Writes docs/performance.md and its plots: `python -m benchmarks.performance_page FOLDER`.

FOLDER has the JSON files of `clerk bench … --json`; each file becomes a chapter. Nothing in the page is typed by hand.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.plot import Bar, bar_chart
from benchmarks.results import phase_rows
from benchmarks.text_table import markdown_table, with_spread

DOCS = Path(__file__).parent.parent / "docs"
PAGE, IMAGES = DOCS / "performance.md", DOCS / "images" / "performance"
PLOTS = {
    "engine": ("orders_per_s", "Orders a second, engine without HTTP", "orders/s"),
    "http": ("orders_per_s", "Orders a second over HTTP", "orders/s"),
    "alone": ("p50_ms", "One order alone, median", "ms"),
}
OURS = ("ours", "embedded")
CHAPTERS = {
    "compare": "Beside what one could have taken instead",
    "engine": "The engine without HTTP",
    "http": "Over HTTP",
    "alone": "One order alone",
    "embedded": "In one process",
    "undone": "When every order is undone",
    "scale": "Two and four of each service",
    "hot": "Hot rows",
    "idle": "Nothing to do",
    "memory": "Memory",
    "disk": "What an order leaves on disk",
    "overload": "Three times as much as it can do",
    "away": "One service dead, one slow",
    "backlog": "A long backlog",
    "flat": "Many ended Clerks",
    "verify": "clerk verify",
    "live-verify": "clerk verify beside a running shop",
    "start": "Start over unfinished Clerks",
    "deadlines": "All deadlines at once",
}
MEANT = {
    "alone": "One order after the other; times from opened to completed, all seven steps.",
    "engine": "All orders are opened first, while nobody works on them; then they are let go, until all have ended.",
    "http": "`wrk` opens one-shot orders over 64 connections, until all are completed.",
    "undone": "The article is out of stock, so each order is undone at the last step before the pivot.",
}
HEAD = (
    "# Performance\n\n"
    "Complete orders of `standard/1`: seven steps, a document of about 2 KB both ways, history on, durable "
    "quorum queues with confirms, PostgreSQL with fsync. All contestants play the same order with the same "
    "rows in the same PostgreSQL, in turns on one machine; every run of ours ended with `clerk verify`, which "
    "found nothing. Figures are medians of all runs, with the lowest and the highest in brackets. Processor "
    "time, write-ahead log, statements and commits are those of one order. Absolute figures are this "
    "machine's; what counts are the ratios, which are reckoned run by run.\n\n"
    "What is aimed at is in [the contract](design/performance.md), what each benchmark does and how to repeat "
    "it in [`benchmarks/`](../benchmarks/README.md), the cost of pages and of single parts in "
    "[benchmarks.md](benchmarks.md). This page is made by `python -m benchmarks.performance_page FOLDER` from "
    "what `clerk bench … --json` has written.\n"
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    wanted = arguments.parse_args()
    results = read_results(wanted.folder)
    write_page(results, PAGE, IMAGES)
    print(f"{PAGE.name}: {', '.join(each['bench'] for each in results)}")


def read_results(folder: Path) -> list[dict[str, Any]]:
    """What the files of the folder hold, in the order of the page's chapters."""
    found = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    if not found:
        raise SystemExit(f"there are no JSON files in {folder}")
    return sorted(found, key=lambda result: list(CHAPTERS).index(result["bench"]))


def write_page(results: Sequence[Mapping[str, Any]], page: Path, images: Path) -> None:
    """Write the page, and its plots into the folder of images."""
    images.mkdir(parents=True, exist_ok=True)
    for old in images.glob("*.svg"):
        old.unlink()
    parts = [HEAD]
    for result in results:
        parts += chapter(result)
        for phase, svg in plots(result).items():
            (images / f"{result['bench']}-{phase}.svg").write_text(svg)
    page.write_text("\n".join(parts))


def plots(result: Mapping[str, Any]) -> dict[str, str]:
    """An SVG of each phase in which several take part."""
    found = {}
    for phase, (figure, words, unit) in PLOTS.items():
        bars = [
            Bar(name, **phases[phase][figure], ours=name.startswith(OURS))
            for name, phases in result["medians"].items()
            if figure in phases.get(phase, {})
        ]
        if len(bars) > 1:
            found[phase] = bar_chart(words, unit, bars)
    return found


def chapter(result: Mapping[str, Any]) -> list[str]:
    """The lines of one benchmark."""
    name, machine = result["bench"], result["machine"]
    runs = max(len(runs) for phases in result["runs"].values() for runs in phases.values())
    often = "1 run" if runs == 1 else f"{runs} runs"
    load = f"load {machine['load_before']} before" if machine["load_before"] >= 1 else "quiet"
    lines = [f"## {CHAPTERS[name]}", "", f"```console\nclerk bench {name} --runs {runs}\n```", ""]
    lines += [f"{result['at'][:10]}, {machine['cores']} cores of {machine['processor']}, {load}; {often}.", ""]
    drawn = plots(result)
    for phase in dict.fromkeys(phase for phases in result["medians"].values() for phase in phases):
        its = {who: phases[phase] for who, phases in result["medians"].items() if phase in phases}
        if phase in drawn:
            lines += [f"![{PLOTS[phase][1]}](images/performance/{name}-{phase}.svg)", ""]
        if phase in MEANT:
            lines += [MEANT[phase], ""]
        lines += [markdown_table(*phase_rows(result, phase, its)), ""]
    lines += ratio_lines(result)
    if result["lacks"]:
        rows = [[who, lacks] for who, lacks in result["lacks"].items()]
        lines += [markdown_table(["", "what it does not guarantee"], rows), ""]
    return [*lines, version_line(result), ""]


def ratio_lines(result: Mapping[str, Any]) -> list[str]:
    """How many times as much as the others, run by run."""
    rows = [
        [key.replace(".", ", "), other, with_spread(**each)]
        for key, others in result["ratios"].items()
        for other, each in others.items()
    ]
    return [markdown_table(["ratio of", "to", "times"], rows), ""] if rows else []


def version_line(result: Mapping[str, Any]) -> str:
    """What it ran on."""
    ours = [f"{name} {each}" for name, each in result["versions"].items() if isinstance(each, str)]
    peers = [
        f"{name}: {', '.join(f'{package} {number}' for package, number in each.items())}"
        for name, each in result["versions"].items()
        if isinstance(each, dict) and name not in OURS
    ]
    return "; ".join([", ".join(ours), *peers]) + "."


if __name__ == "__main__":
    main()

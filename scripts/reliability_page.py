"""The text of docs/reliability.md, from recordings of real runs: what was played, what held, what never was. Pure.

In the recordings faults are called `harms` and violations `drifts`; these JSON keys stay, so that old ones can be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

HELD = "held"
NEVER_TRIED = (
    "A broker of several nodes, a PostgreSQL with replicas, and the failover of either: all runs are on one machine.",
    "Power loss, and disks that lie or rot. Processes are killed; the machine under them is not.",
    "Networks between real machines. Between the processes are TCP proxies, which are cut, closed, slowed and blocked.",
    "A real payment provider: the one here is a test double that misbehaves on demand.",
    "Days of uptime: that connections, threads, files and memory come back to where they were (I17) is measured over"
    " nine rounds in which every connection is cut, not over days.",
)
Recorded = Mapping[str, Any]
TESTED_ALONE = {
    "backup": "`scenario_tests/faults/test_backup.py`",
    "upgrade": "`scenario_tests/faults/test_upgrade.py`, from the version before to this one",
    "deadline": "`scenario_tests/test_two_at_once.py`, a reply and a deadline at once on two ShopManagers",
    "stop": "`clerk_cli/tests/test_serve.py`, half-written settings and a database that is not migrated",
}
"""Row → the test that plays it and is not recorded."""


@dataclass(frozen=True)
class Recordings:
    """What was recorded. `faults`, `rounds`: a line for each run of a fault, each round of chaos; `run`: run.json."""

    run: Mapping[str, Any]
    faults: Sequence[Recorded]
    rounds: Sequence[Recorded]
    simulation: Mapping[str, Any]
    wrong_builds: Mapping[str, Any]


def page(recordings: Recordings) -> str:
    parts = [_head, _faults, _broken, _chaos, _simulation, _wrong_builds, _invariants, _not_covered]
    return "\n\n".join("\n".join(part(recordings)) for part in parts) + "\n"


def _head(recordings: Recordings) -> list[str]:
    run, lines = recordings.run, [*recordings.faults, *recordings.rounds]
    days = sorted({str(line["date"])[:10] for line in lines}) or ["never"]
    commits = ", ".join(f"`{commit}`" for commit in dict.fromkeys(str(line["commit"]) for line in lines)) or "none"
    return [
        "# What was tried, and what held",
        "",
        "This page is made by `make reliability` out of recordings of real runs, kept in [reliability/](reliability/). "
        "No figure in it was typed.",
        "[Contributing](../CONTRIBUTING.md#what-is-generated) says how they are recorded.",
        "",
        "| | |",
        "|---|---|",
        f"| played | {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''} |",
        f"| commits | {commits} |",
        *(f"| {name} | {value} |" for name, value in run["machine"].items()),
        "",
        "Figures are those of this machine, while others used it too.",
    ]


def _faults(recordings: Recordings) -> list[str]:
    """The table of faults: a line for each row of the design's table (docs/design/faults.md)."""
    by_row: dict[str, list[Recorded]] = defaultdict(list)
    for line in recordings.faults:
        by_row[line["row"]].append(line)
    played = sum(len(lines) for lines in by_row.values())
    text = [
        "## Faults, one by one",
        "",
        "Five processes of `clerk serve` on a private RabbitMQ and PostgreSQL, while a load generator places orders.",
        "A fault counts only if it fired while orders waited for a service's answer. "
        "Then everything is mended; all orders must end as their customers expect, the shop be quiet within a minute, "
        "and `clerk verify` find nothing.",
        "",
        f"{played} runs of {len({line['name'] for line in recordings.faults})} faults; "
        f"{sum(line['outcome'] == HELD for line in recordings.faults)} held. Quiet again: {_times(recordings.faults)}.",
        "",
        "| faults | there are | runs | held | in flight when it fired | quiet after: median, worst |",
        "|---|---|---|---|---|---|",
    ]
    for row, title in recordings.run["rows"].items():
        lines = by_row[row]
        held = sum(line["outcome"] == HELD for line in lines)
        flight = sum(line["in_flight"] for line in lines)
        there_are = recordings.run["harms"].get(row, 0)
        text.append(f"| {title} | {there_are} | {len(lines)} | {held} | {flight} | {_times(lines)} |")
    return text


def _broken(recordings: Recordings) -> list[str]:
    """Every run that did not hold, and whether the last run of the same fault held.

    Whoever has found the cause of one adds a `remark` to its line in the recording.
    """
    text = ["## What did not hold", ""]
    last = {line["name"]: line for line in recordings.faults}
    broken = [line for line in recordings.faults if line["outcome"] != HELD]
    for line in broken:
        latest = last[line["name"]]
        since = (
            f"Its last run, on `{latest['commit']}`, held." if latest["outcome"] == HELD else "It has not held since."
        )
        text.append(f"- **{line['name']}** on `{line['commit']}`: {_plain(line['outcome'])} {since}{_remark(line)}")
    text += [
        f"- **Round {line['round']} of chaos**, {' and '.join(line['harms'])}, on `{line['commit']}`: "
        f"{_plain(line['outcome'])}{_remark(line)}"
        for line in recordings.rounds
        if line["outcome"] != HELD
    ]
    return text if len(text) > 2 else [*text, "Everything that was recorded held."]


def _chaos(recordings: Recordings) -> list[str]:
    rounds = recordings.rounds
    if not rounds:
        return ["## Chaos", "", "Not recorded."]
    seeds = ", ".join(dict.fromkeys(str(line["seed"]) for line in rounds))
    return [
        "## Chaos",
        "",
        f"`make chaos`, seed {seeds}: {len(rounds)} rounds with "
        f"{sum(len(line['harms']) for line in rounds)} faults, {sum(line['orders'] for line in rounds)} orders, "
        f"{sum(line['in_flight'] for line in rounds)} of them in flight when a fault fired.",
        f"{sum(line['outcome'] == HELD for line in rounds)} rounds held, with "
        f"{sum(len(line['drifts']) for line in rounds)} drifts in all. Quiet again: {_times(rounds)}.",
    ]


def _simulation(recordings: Recordings) -> list[str]:
    result = recordings.simulation
    if not result:
        return ["## Simulation", "", "Not recorded."]
    return [
        "## Simulation",
        "",
        f"`clerk simulate`: {result['scenarios']:,} scenarios in {result['seconds']:.0f} s, "
        f"{len(result['failures'])} failures, trace `{result['trace_hash']}`.",
        "What is rare, and must have happened:",
        "",
        "| | times |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in result["counters"].items()),
    ]


def _wrong_builds(recordings: Recordings) -> list[str]:
    builds = recordings.wrong_builds.get("builds", [])
    if not builds:
        return ["## The checker is checked", "", "Not recorded."]
    return [
        "## The checker is checked",
        "",
        f"`clerk simulate --wrong-builds`: {sum(build['caught'] for build in builds)} of {len(builds)} builds that are "
        "wrong on purpose were found out, by the right invariant.",
        "",
        "| build | what is wrong | found out by | after seeds |",
        "|---|---|---|---|",
        *(
            f"| {build['build']} | {build['wrong']} | {build['invariant'] if build['caught'] else '**nobody**'} "
            f"| {build['seeds']} |"
            for build in builds
        ),
    ]


def _invariants(recordings: Recordings) -> list[str]:
    return [
        "## What must hold",
        "",
        "| | | checked |",
        "|---|---|---|",
        *(f"| {name} | {text} | {when} |" for name, (text, when) in recordings.run["invariants"].items()),
        "",
        "“always”: by `clerk verify`, so after each fault and each round above.",
    ]


def _not_covered(recordings: Recordings) -> list[str]:
    run = recordings.run
    played = defaultdict[str, set[str]](set)
    for line in recordings.faults:
        played[line["row"]].add(line["name"])
    without = [title for row, title in run["rows"].items() if not played[row] and row not in TESTED_ALONE]
    missing = {
        title: run["harms"].get(row, 0) - len(played[row])
        for row, title in run["rows"].items()
        if 0 < len(played[row]) < run["harms"].get(row, 0)
    }
    floods = [line["evidence"][-1] for line in recordings.faults if line["row"] == "flood" and line["evidence"]]
    return [
        "## What is not covered",
        "",
        *(f"- {line}" for line in NEVER_TRIED),
        *(
            f"- A faster flood than this one, which is all that clients on this machine came to: {rate}."
            for rate in floods
        ),
        *(f"- Tried by a test of its own that is not in these recordings: {where}." for where in TESTED_ALONE.values()),
        *(f"- Not played in these recordings: {title}." for title in without),
        *(f"- {count} more that there are of this row were not played: {title}." for title, count in missing.items()),
    ]


def _times(lines: Iterable[Recorded]) -> str:
    """Median and worst of the runs after which the shop came to rest."""
    seconds = [line["seconds_to_quiet"] for line in lines if line["seconds_to_quiet"] is not None]
    return f"{median(seconds):.1f} s, {max(seconds):.1f} s" if seconds else "–"


def _remark(line: Recorded) -> str:
    return f" {line['remark']}" if "remark" in line else ""


def _plain(outcome: str) -> str:
    """The first line of the outcome, as a sentence."""
    line = outcome.removeprefix("broke: ").splitlines()[0][:240].replace("|", "/").rstrip(".")
    return f"{line}."

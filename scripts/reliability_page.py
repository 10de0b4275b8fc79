"""docs/reliability.md out of recordings of real runs, pure: what was played, what held, and what nobody has tried."""

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
    "Networks between real machines. Roads between processes are TCP proxies that are cut, closed, slowed and blocked.",
    "A real payment provider: the one here is a test double that misbehaves on demand.",
    "Days of uptime: that connections, threads, files and memory come back to where they were (I17) is measured over"
    " nine rounds in which every connection is cut, not over days.",
)
Line = Mapping[str, Any]
TESTED_ALONE = {
    "backup": "`scenario_tests/faults/test_backup.py`",
    "upgrade": "`scenario_tests/faults/test_upgrade.py`, from the version before to this one",
    "deadline": "`scenario_tests/test_two_at_once.py`, a reply and a deadline at once on two ShopManagers",
    "stop": "`clerk_cli/tests/test_serve.py`, half-written settings and a database that is not migrated",
}
"""Row → where tests of its own try it that play no recorded harm."""


@dataclass(frozen=True)
class Recordings:
    """What was recorded. `harms` and `rounds`: a line each; `run`: machine and what there was to play."""

    run: Mapping[str, Any]
    harms: Sequence[Line]
    rounds: Sequence[Line]
    simulation: Mapping[str, Any]
    wrong_builds: Mapping[str, Any]


def page(recordings: Recordings) -> str:
    parts = [_head, _faults, _broken, _chaos, _simulation, _wrong_builds, _invariants, _not_covered]
    return "\n\n".join("\n".join(part(recordings)) for part in parts) + "\n"


def _head(recordings: Recordings) -> list[str]:
    run, lines = recordings.run, [*recordings.harms, *recordings.rounds]
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
    """A line for each row of the table of faults."""
    by_row: dict[str, list[Line]] = defaultdict(list)
    for line in recordings.harms:
        by_row[line["row"]].append(line)
    played = sum(len(lines) for lines in by_row.values())
    text = [
        "## Faults, one by one",
        "",
        "Five processes of `clerk serve` on a private RabbitMQ and PostgreSQL, with a crowd of orders under way.",
        "A fault counts only if it fired while orders waited for a service's answer. "
        "Then everything is mended; all orders must end as their customers expect, the shop be quiet within a minute, "
        "and `clerk verify` find nothing.",
        "",
        f"{played} runs of {len({line['name'] for line in recordings.harms})} faults; "
        f"{sum(line['outcome'] == HELD for line in recordings.harms)} held. Quiet again: {_times(recordings.harms)}.",
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
    """Every run that did not hold, with what became of the same fault at its last run.

    Who has looked into one adds a `remark` to its line in the recording.
    """
    text = ["## What did not hold", ""]
    last = {line["name"]: line for line in recordings.harms}
    broken = [line for line in recordings.harms if line["outcome"] != HELD]
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
    told = recordings.simulation
    if not told:
        return ["## Simulation", "", "Not recorded."]
    return [
        "## Simulation",
        "",
        f"`clerk simulate`: {told['scenarios']:,} scenarios in {told['seconds']:.0f} s, "
        f"{len(told['failures'])} failures, trace `{told['trace_hash']}`.",
        "What is rare, and must have happened:",
        "",
        "| | times |",
        "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in told["counters"].items()),
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
    for line in recordings.harms:
        played[line["row"]].add(line["name"])
    without = [title for row, title in run["rows"].items() if not played[row] and row not in TESTED_ALONE]
    missing = {
        title: run["harms"].get(row, 0) - len(played[row])
        for row, title in run["rows"].items()
        if 0 < len(played[row]) < run["harms"].get(row, 0)
    }
    floods = [line["evidence"][-1] for line in recordings.harms if line["row"] == "flood" and line["evidence"]]
    return [
        "## What is not covered",
        "",
        *(f"- {line}" for line in NEVER_TRIED),
        *(
            f"- A faster flood than this one, which is what the callers of this machine came to: {told}."
            for told in floods
        ),
        *(f"- Tried by a test of its own that is not in these recordings: {where}." for where in TESTED_ALONE.values()),
        *(f"- Not played in these recordings: {title}." for title in without),
        *(f"- {count} more that there are of this row were not played: {title}." for title, count in missing.items()),
    ]


def _times(lines: Iterable[Line]) -> str:
    """Of those that came to rest."""
    seconds = [line["seconds_to_quiet"] for line in lines if line["seconds_to_quiet"] is not None]
    return f"{median(seconds):.1f} s, {max(seconds):.1f} s" if seconds else "–"


def _remark(line: Line) -> str:
    return f" {line['remark']}" if "remark" in line else ""


def _plain(outcome: str) -> str:
    """One line of it, as a sentence."""
    line = outcome.removeprefix("broke: ").splitlines()[0][:240].replace("|", "/").rstrip(".")
    return f"{line}."

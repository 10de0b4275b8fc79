"""What each page of the dashboard and each read of `/ops` costs, in a small shop and with a million ended Clerks.

`python -m benchmarks.dashboard FOLDER` on SQLite, with CLERK_TEST_DATABASE_URL set (an administrator's PostgreSQL URL)
there too. Both shops have as many live and stuck Clerks; they are asked in turns, so that both see the same machine.
What was seeded in FOLDER, or in that PostgreSQL, is used again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import create_engine

from benchmarks.seed_shop import seed
from benchmarks.seeded_doors import SeededDoors
from clerk_cli.databases import files_in
from domain.messages import SHOP_MANAGER
from messaging.database import check_url

SERVICES = ("shop_manager", "shop", "risk", "payment", "fulfillment")
ENDED = (1_000, 1_000_000)
LIVE, STUCK = 10_000, 200
MOST = 1.2
"""What dashboard and `/ops` may cost in the large shop, against the small one (performance.md)."""
WORK = (
    "/dashboard",
    "/dashboard/clerks",
    "/dashboard/clerks?stuck=yes",
    "/dashboard/clerks?stuck=yes&kind=no_answer&step=shipping",
    "/dashboard/clerks?status=processing",
    "/dashboard/clerks?status=open",
    "/dashboard/clerks?step=shipping",
    "/dashboard/clerks?stuck=no&shop=squeaky-toys",
    "/dashboard/clerks?process=standard/1",
    "/dashboard/clerks?customer=nobody",
    "/dashboard/clerks?reference=nothing",
    "/dashboard/clerks?sort=next_wake_at",
    "/dashboard/find?q=nothing",
    "/dashboard/clerks/{stuck}",
    "/dashboard/clerks/{live}",
    "/dashboard/live?of=home",
    "/dashboard/live?of=clerks&stuck=yes&since=2020-01-01T00:00:00Z",
    "/dashboard/live?of=clerk&id={stuck}&version=1",
    "/dashboard/processes",
    "/dashboard/bulk",
    "/dashboard/parked",
    "/dashboard/audit",
    "/dashboard/checks",
    "/dashboard/people",
    "/dashboard/help",
    "/ops/summary",
    "/ops/events",
    "/ops/clerks",
    "/ops/clerks?stuck=true",
    "/ops/clerks?stuck=true&older_than=1h",
    "/ops/clerks?status=processing&limit=200",
    "/ops/clerks?step=shipping&process=standard/1",
    "/ops/clerks?sort=-next_wake_at",
    "/ops/clerks.csv?stuck=true",
    "/ops/clerks.json?stuck=true",
    "/ops/clerks/{stuck}",
    "/ops/clerks/{stuck}/timeline",
    "/ops/clerks/{stuck}/messages",
    "/ops/parked",
    "/ops/processes",
    "/ops/processes/chosen?shop=squeaky-toys",
    "/ops/audit",
    "/ops/checks",
    "/ops/bulk",
    "/ops/people",
    "/ops/keys",
    "/ops/views",
)
"""Live and stuck work, and what does not depend on Clerks at all: these have to keep within MOST."""
PAST = (
    "/dashboard/figures",
    "/dashboard/figures?hours=168",
    "/dashboard/clerks?status=completed",
    "/dashboard/clerks?sort=created_at",
    "/dashboard/clerks?older_than=1d",
    "/dashboard/clerks/{ended}",
    "/ops/figures",
    "/ops/clerks?status=failed",
    "/ops/clerks?shop=nowhere",
    "/ops/clerks?status=completed&older_than=1h&cursor={later}",
    "/ops/clerks.csv",
)
"""What shows ended Clerks: a larger shop has more to show."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--times", type=int, default=15)
    arguments.add_argument("--only", default="", help="only addresses with this in them")
    arguments.add_argument("--without", default="nothing at all", help="no addresses with this in them")
    wanted = arguments.parse_args()
    paths = [path for path in (*WORK, *PAST) if wanted.only in path and wanted.without not in path]
    measured = {kind: compare(templates, wanted.times, paths) for kind, templates in shops(wanted.folder).items()}
    say(table(measured))
    say(json.dumps(measured))
    over = [
        path
        for lines in measured.values()
        for path in WORK
        if path in lines and min(lines[path]["ratio"], lines[path]["best_ratio"]) > MOST
    ]
    if over:
        sys.exit(f"over {MOST}: {', '.join(over)}")


def shops(folder: Path) -> dict[str, list[str]]:
    """The URL templates of the small and the large shop, by kind of database; seeded where they are not there yet."""
    found = {"SQLite": [files_in(folder / f"ended-{ended}" / "data") for ended in ENDED]}
    for ended in ENDED:
        if not (folder / f"ended-{ended}").exists():
            seed(folder / f"ended-{ended}", ended, LIVE, SHOP_MANAGER)
    admin = os.environ.get("CLERK_TEST_DATABASE_URL")
    if admin:
        found["PostgreSQL"] = [on_postgres(folder, admin, ended) for ended in ENDED]
    return found


def on_postgres(folder: Path, admin: str, ended: int) -> str:
    engine = create_engine(check_url(admin), isolation_level="AUTOCOMMIT")
    template = f"{admin.rsplit('/', 1)[0]}/dash_{ended}_{{service}}"
    with engine.connect() as connection:
        known = f"SELECT 1 FROM pg_database WHERE datname = 'dash_{ended}_{SHOP_MANAGER}'"  # noqa: S608  # a number of ours
        is_new = connection.exec_driver_sql(known).first() is None
        for service in SERVICES if is_new else ():
            connection.exec_driver_sql(f'CREATE DATABASE "dash_{ended}_{service}"')
    engine.dispose()
    if is_new:
        seed(folder / f"postgres-{ended}", ended, LIVE, SHOP_MANAGER, template)
    return template


def compare(templates: Sequence[str], times: int, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`{address: {small_ms, large_ms, ratio, best_ratio, statements}}`: medians, and their ratio.

    `best_ratio` is that of the fastest answers: on a busy machine it says more, for only the page itself is in it.
    """
    small, large = (SeededDoors(template, STUCK) for template in templates)
    with closing(small.database), closing(large.database):
        return asyncio.run(_compared(small, large, times, paths))


async def _compared(
    small: SeededDoors, large: SeededDoors, times: int, paths: Sequence[str]
) -> dict[str, dict[str, Any]]:
    pairs = [(small, await things(small)), (large, await things(large))]
    found = {}
    for path in paths:
        took: tuple[list[float], list[float]] = ([], [])
        for doors, names in pairs:
            await doors.ask(path.format(**names))
        before = large.database.statements
        for _ in range(times):
            for (doors, names), list_ in zip(pairs, took, strict=True):
                began = perf_counter()
                await doors.ask(path.format(**names))
                list_.append((perf_counter() - began) * 1000)
        medians, best = [statistics.median(each) for each in took], [min(each) for each in took]
        found[path] = {
            "small_ms": round(medians[0], 1),
            "large_ms": round(medians[1], 1),
            "ratio": round(medians[1] / medians[0], 2),
            "best_ratio": round(best[1] / best[0], 2),
            "statements": round((large.database.statements - before) / times, 1),
        }
    return found


async def things(doors: SeededDoors) -> dict[str, str]:
    """What the addresses name: a Clerk of each sort, and the place where a later page begins."""

    async def first(query: str) -> str:
        return str(json.loads(await doors.ask(f"/ops/clerks?{query}&limit=1"))["data"][0]["id"])

    later = ""
    for _ in range(5):
        page = f"/ops/clerks?status=completed&older_than=1h&limit=100{later and f'&cursor={later}'}"
        later = json.loads(await doors.ask(page))["next_cursor"]
    return {
        "stuck": await first("stuck=true"),
        "live": await first("status=open"),
        "ended": await first("status=completed"),
        "later": later,
    }


def table(measured: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """As Markdown: an address a line, the two sizes and their ratio for each kind of database."""
    kinds = list(measured)
    heads = "".join(f" {kind}: {ENDED[0]:,} ended, ms | {ENDED[1]:,} | ratio | of the best |" for kind in kinds)
    lines = [f"| page |{heads} statements |", f"|---|{'---:|---:|---:|---:|' * len(kinds)}---:|"]
    for path in measured[kinds[0]]:
        cells = [measured[kind][path] for kind in kinds]
        told = "".join(
            f" {each['small_ms']} | {each['large_ms']} | {each['ratio']} | {each['best_ratio']} |" for each in cells
        )
        lines.append(f"| `{path}` |{told} {cells[-1]['statements']} |")
    return "\n".join(lines)


def say(text: str) -> None:
    print(text)  # noqa: T201  # a benchmark prints its table


if __name__ == "__main__":
    main()

"""Measures each page of the dashboard and each read of `/ops`, in a small shop and in one with a million ended Clerks.

`python -m benchmarks.dashboard FOLDER` on SQLite, with CLERK_TEST_DATABASE_URL set (an administrator's PostgreSQL URL)
there too; `--large` makes the large one smaller. Both shops have equally many live and stuck Clerks; requests
alternate, so that both see the same machine. What was seeded in FOLDER, or in that PostgreSQL, is used again.
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
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import create_engine

from benchmarks.seed_shop import seed
from benchmarks.seeded_http_api import SeededHttpApi
from benchmarks.shops import new_databases, template_on
from clerk_cli.databases import files_in
from domain.messages import SHOP_MANAGER
from messaging.database import check_url

ENDED = (1_000, 1_000_000)
LIVE, STUCK = 10_000, 200
SEARCH = (
    "/ops/search?q={ended}",
    "/ops/search?q={half}",
    "/ops/search?q={six}",
    "/ops/search?q={ended}/credit/1/do",
    "/ops/search?q=pay_{six}",
    "/ops/search?q=prk_{six}",
    "/ops/search?q=admin",
    "/ops/search?q=seed",
    "/ops/search?q=nothing",
    "/ops/search?q=ada",
    "/ops/search?q=ada@example.com",
)
"""The search for an id, half an id, its first digits, a message, a payment, a parked message, an operator, a reference,
article and tracking number of all Clerks, nothing, and a person.
"""
SEARCH_MS = 50
"""What a search may take in the large shop."""
RATIOS = ("ratio", "best_ratio", "cpu_ratio")
MOST = 1.2
"""What dashboard and `/ops` may cost in the large shop, against the small one (docs/design/performance.md)."""
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
"""Pages about live and stuck Clerks, or about no Clerks: none may cost more than MOST."""
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
"""Pages about ended Clerks: a larger shop has more to show."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--times", type=int, default=15)
    arguments.add_argument("--large", type=int, default=ENDED[1], help="ended Clerks of the large shop")
    arguments.add_argument("--only", default="", help="only addresses with this in them")
    arguments.add_argument("--without", default="nothing at all", help="no addresses with this in them")
    wanted = arguments.parse_args()
    sizes = (ENDED[0], wanted.large)
    paths = [path for path in (*WORK, *PAST, *SEARCH) if wanted.only in path and wanted.without not in path]
    measured = {
        kind: compare(templates, wanted.times, paths) for kind, templates in shops(wanted.folder, sizes).items()
    }
    print(table(measured, sizes))
    print(json.dumps(measured))  # as above
    over = [
        path
        for lines in measured.values()
        for path in WORK
        if path in lines and min(lines[path][name] for name in RATIOS) > MOST
    ]
    slow = [
        path for lines in measured.values() for path in SEARCH if path in lines and lines[path]["large_ms"] > SEARCH_MS
    ]
    if slow:
        sys.exit(f"over {SEARCH_MS} ms: {', '.join(slow)}")
    if over:
        sys.exit(f"over {MOST}: {', '.join(over)}")


def shops(folder: Path, sizes: Sequence[int]) -> dict[str, list[str]]:
    """The URL templates of the small and the large shop, by kind of database; seeded where they are not there yet."""
    found = {"SQLite": [files_in(folder / f"ended-{ended}" / "data") for ended in sizes]}
    for ended in sizes:
        if not (folder / f"ended-{ended}").exists():
            seed(folder / f"ended-{ended}", ended, LIVE, SHOP_MANAGER)
    admin = os.environ.get("CLERK_TEST_DATABASE_URL")
    if admin:
        found["PostgreSQL"] = [on_postgres(folder, admin, ended) for ended in sizes]
    return found


def on_postgres(folder: Path, admin: str, ended: int) -> str:
    """The URL template of the shop with so many ended Clerks on this PostgreSQL; seeded when it is not there yet."""
    prefix = f"dash_{ended}_"
    engine = create_engine(check_url(admin))
    with engine.connect() as connection:
        known = f"SELECT 1 FROM pg_database WHERE datname = '{prefix}{SHOP_MANAGER}'"  # noqa: S608  # a number of ours
        is_new = connection.exec_driver_sql(known).first() is None
    engine.dispose()
    if is_new:
        seed(folder / f"postgres-{ended}", ended, LIVE, SHOP_MANAGER, new_databases(admin, prefix))
    return template_on(admin, prefix)


def compare(templates: Sequence[str], times: int, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`{path: {small_ms, large_ms, ratio, best_ratio, cpu_ratio, statements}}`: medians, and their ratio.

    `best_ratio` is that of the fastest responses, `cpu_ratio` that of the least processor time of this process, in
    which SQLite works too: on a busy machine they say more, because nothing else disturbed them.
    """
    small, large = (SeededHttpApi(template, STUCK) for template in templates)
    with closing(small.database), closing(large.database):
        return asyncio.run(_compared(small, large, times, paths))


async def _compared(
    small: SeededHttpApi, large: SeededHttpApi, times: int, paths: Sequence[str]
) -> dict[str, dict[str, Any]]:
    pairs = [(small, await example_ids(small)), (large, await example_ids(large))]
    found = {}
    for path in paths:
        took: tuple[list[float], list[float]] = ([], [])
        used: tuple[list[float], list[float]] = ([], [])
        for shop, names in pairs:
            await shop.ask(path.format(**names))
        before = large.database.statements
        for _ in range(times):
            for (shop, names), waited, processor in zip(pairs, took, used, strict=True):
                began, before_it = perf_counter(), process_time()
                await shop.ask(path.format(**names))
                waited.append((perf_counter() - began) * 1000)
                processor.append(process_time() - before_it)
        medians, best = [statistics.median(each) for each in took], [min(each) for each in took]
        found[path] = {
            "small_ms": round(medians[0], 1),
            "large_ms": round(medians[1], 1),
            "ratio": round(medians[1] / medians[0], 2),
            "best_ratio": round(best[1] / best[0], 2),
            "cpu_ratio": round(min(used[1]) / min(used[0]), 2),
            "statements": round((large.database.statements - before) / times, 1),
        }
    return found


async def example_ids(shop: SeededHttpApi) -> dict[str, str]:
    """What fills the gaps in the paths: the id of a Clerk of each sort, and the cursor of a later page."""

    async def first(query: str) -> str:
        return str(json.loads(await shop.ask(f"/ops/clerks?{query}&limit=1"))["data"][0]["id"])

    later = ""
    for _ in range(5):
        page = f"/ops/clerks?status=completed&older_than=1h&limit=100{later and f'&cursor={later}'}"
        later = json.loads(await shop.ask(page))["next_cursor"]
    return {
        "stuck": await first("stuck=true"),
        "live": await first("status=open"),
        "ended": (ended := await first("status=completed")),
        "half": ended[: len(ended) // 2],
        "six": ended.removeprefix("clk_")[:6],
        "later": later,
    }


def table(measured: Mapping[str, Mapping[str, Mapping[str, Any]]], sizes: Sequence[int]) -> str:
    """As Markdown: a path a line, the two sizes and their ratio for each kind of database."""
    kinds = list(measured)
    heads = "".join(
        f" {kind}: {sizes[0]:,} ended, ms | {sizes[1]:,} | ratio | of the best | of processor time |" for kind in kinds
    )
    lines = [f"| page |{heads} statements |", f"|---|{'---:|---:|---:|---:|---:|' * len(kinds)}---:|"]
    for path in measured[kinds[0]]:
        cells = [measured[kind][path] for kind in kinds]
        text = "".join(
            f" {each['small_ms']} | {each['large_ms']} | {each['ratio']} | {each['best_ratio']} | {each['cpu_ratio']} |"
            for each in cells
        )
        lines.append(f"| `{path}` |{text} {cells[-1]['statements']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

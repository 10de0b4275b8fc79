"""The command `clerk bench` with its flags and its help; `clerk_cli.bench` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench(
    what: Annotated[
        str,
        typer.Argument(
            help="all, compare, alone, engine, http, embedded, undone, scale, hot, idle, memory, disk, overload, away, "
            "backlog, flat, verify, live-verify, start or deadlines."
        ),
    ],
    *,
    runs: Annotated[int, typer.Option(min=1, max=100, help="How often everything is run, in turns.")] = 3,
    orders: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="How many orders.", show_default="by benchmark")
    ] = None,
    clerks: Annotated[
        int | None,
        typer.Option(min=1, max=10_000_000, help="How many Clerks are there before.", show_default="20000"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAME,…", help="Who takes part, also dbos, celery, restate.", show_default="all"),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Also write everything that was measured; for all: a folder."),
    ] = None,
) -> None:
    """Measure how fast the shop is, beside what else one could have taken, over servers that it starts itself.

    It works in a checkout of the repository, where RabbitMQ and PostgreSQL are installed. Each run of ours ends with
    [bold]clerk verify[/bold]. The exit code is 1 when that finds anything.

    Examples: [bold]clerk bench compare[/bold], [bold]clerk bench engine --only ours,naive --runs 1[/bold]
    """
    from clerk_cli.bench import BenchFlags, run_bench  # noqa: PLC0415  # so that `clerk --help` starts fast

    run_bench(what, BenchFlags(runs, orders, clerks, only, json_file))

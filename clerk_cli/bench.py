"""`clerk bench`: runs the repository's benchmarks. They are no part of an installed package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from clerk_cli.errors import CliError


@dataclass(frozen=True, slots=True)
class BenchFlags:
    """The flags of `clerk bench`. `only`: names with commas between them."""

    runs: int
    orders: int | None
    clerks: int | None
    only: str | None
    json_file: Path | None


def run_bench(what: str, flags: BenchFlags) -> None:
    """Print the tables of one benchmark; exits 1 when a run was wrong, such as when `clerk verify` found something."""
    try:
        from benchmarks.commands import BIG, Options, UnknownName, run  # noqa: PLC0415
        from benchmarks.our_rounds import VerifyFailed  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("benchmarks", "scenario_tests"):
            raise
        raise CliError("bench works in a checkout of the repository only: the benchmarks are not installed") from None
    names = [name.strip() for name in flags.only.split(",")] if flags.only else []
    try:
        print(run(what, Options(flags.runs, flags.orders, flags.clerks or BIG, names, flags.json_file)))
    except UnknownName as error:
        raise CliError(str(error)) from None
    except VerifyFailed as error:
        print(error)
        raise typer.Exit(1) from None
    except (RuntimeError, TimeoutError) as error:  # servers that are not installed, a program that has ended
        raise CliError(str(error)) from None

"""The options that several commands have (docs/reference/cli.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(help="The data folder of [bold]clerk up[/bold].", show_default=".clerk")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="Where the data is; {service} stands for each service's name."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text for people.")]

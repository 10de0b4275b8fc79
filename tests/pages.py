"""The pages of documentation as tests see them: their blocks, what is printed behind them, a shop to run on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
URL_ON_PAGES = "http://127.0.0.1:8470"
LIMIT = 90.0
MARK = "=== next block ==="
PAGES = sorted(
    page
    for top in ROOT.iterdir()
    if not top.name.startswith(".")
    for page in (top.rglob("*.md") if top.is_dir() else [top])
    if page.suffix == ".md"
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks as (language, content), in order."""
    return re.findall(r"^```(\w+)(?: [\w.]+)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def files(text: str) -> dict[str, str]:
    """The files that the reader is told to write, by name. A block that names a file again goes on with it."""
    found: dict[str, str] = {}
    for name, content in re.findall(r"^```\w+ ([\w.]+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        found[name] = f"{found[name]}\n{content}" if name in found else content
    return found


def executed(text: str) -> list[tuple[str, str]]:
    """Each ```sh block with the answer that is shown behind it, which may be none."""
    found = blocks(text)
    following = [*found[1:], ("", "")][: len(found)]
    return [
        (content, after[1] if after[0] == "output" else "")
        for (language, content), after in zip(found, following, strict=True)
        if language == "sh"
    ]


def as_pattern(shown: str) -> str:
    """What an answer must look like: … stands for anything in a line, a line of … alone for any number of lines."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) + r"\n"
        for line in shown.splitlines()
    ]
    return "".join(lines)


def environment(code: Path = ROOT) -> dict[str, str]:
    """A reader's environment, with the code of this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
    return kept | {"PYTHONPATH": str(code), "NO_COLOR": "1", "COLUMNS": "200"}


@contextmanager
def clerk_up(
    folder: Path, *flags: str, code: Path = ROOT, variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """A running `clerk up` in this working folder, with `clerk` and `python` where `make` puts them; its URL."""
    _tools(folder)
    command = [str(folder / ".venv" / "bin" / "clerk"), "up", "--port", "0", *flags]
    with subprocess.Popen(
        command, cwd=folder, env=environment(code) | dict(variables), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = next((line for line in process.stdout if line.startswith("ready ")), "")
        try:
            assert ready, "clerk up did not say that it is ready"
            yield ready.split()[1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)
    assert process.returncode == 0


def _tools(folder: Path) -> None:
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name, arguments in {"clerk": "-m clerk_cli ", "python": ""}.items():
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        script.chmod(0o755)


def check(page: Sequence[tuple[str, str]], folder: Path, url: str, code: Path = ROOT) -> None:
    """Run these blocks one after the other in one shell; each prints what is shown behind it, and none fails."""
    script = f"\necho '{MARK}'\n".join(content.replace(URL_ON_PAGES, url) for content, _ in page)
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment(code), capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    outputs = run.stdout.split(f"{MARK}\n")
    for (content, shown), output in zip(page, outputs, strict=False):
        printed = output if not output or output.endswith("\n") else f"{output}\n"  # as `curl` leaves a line open
        assert re.fullmatch(as_pattern(shown), printed), f"{content}\nprints\n{printed}\nnot\n{shown}\n{run.stderr}"
    assert run.returncode == 0, run.stderr
    assert len(outputs) == len(page)

"""README.md tells the truth: its blocks are executed on a real `clerk up`, its other commands and links exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from clerk_cli.commands import app
from clerk_cli.services import SERVICES
from shop_manager.processes import discover

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
URL_IN_README = "http://127.0.0.1:8470"
LIMIT = 60.0
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / "docs").rglob("*.md")]
    if not path.is_relative_to(ROOT / ".venv")
)


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks as (language, content), in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def executed() -> list[tuple[str, str]]:
    """Each ```sh block with the answer that is shown behind it, which may be none."""
    found = blocks(README)
    following = [*found[1:], ("", "")]
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A running `clerk up`: its working folder, and where it listens."""
    folder = tmp_path_factory.mktemp("readme")
    _clerk_on_path(folder)
    command = [str(folder / ".venv" / "bin" / "clerk"), "up", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = next((line for line in process.stdout if line.startswith("ready ")), "")
        try:
            assert ready, "clerk up did not say that it is ready"
            yield folder, ready.split()[1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)
    assert process.returncode == 0


def _clerk_on_path(folder: Path) -> None:
    """The `clerk` script where `make` puts it."""
    script = folder / ".venv" / "bin" / "clerk"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clerk_cli "$@"\n')
    script.chmod(0o755)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
    return kept | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}


@pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("CI") != "true", reason="the README's commands need curl"
)
def test_every_block_does_what_is_printed_behind_it(shop: tuple[Path, str]) -> None:
    folder, url = shop
    mark = "=== next block ==="
    script = f"\necho '{mark}'\n".join(content.replace(URL_IN_README, url) for content, _ in executed())
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    outputs = run.stdout.split(f"{mark}\n")
    for (content, shown), output in zip(executed(), outputs, strict=False):
        assert re.fullmatch(as_pattern(shown), output), f"{content}\nprints\n{output}\nnot\n{shown}\n{run.stderr}"
    assert run.returncode == 0, run.stderr
    assert len(outputs) == len(executed())


def test_an_answer_that_differs_is_noticed() -> None:
    assert re.fullmatch(as_pattern('"clk_…"\n…\nend\n'), '"clk_1"\nmore\nand more\nend\n')
    assert not re.fullmatch(as_pattern('{"status": "completed"}\n'), '{"status": "failed"}\n')
    assert not re.fullmatch(as_pattern("one\n"), "one\ntwo\n")


def test_blocks_that_are_not_executed_are_marked_by_their_language() -> None:
    assert {language for language, _ in blocks(README)} == {"sh", "output", "console", "python", "mermaid"}


def commands_in_console_blocks() -> list[list[str]]:
    lines = [line for language, content in blocks(README) if language == "console" for line in content.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line]


def clerks_words(words: list[str]) -> list[str] | None:
    """What `clerk` is told by a command line, be it through docker compose; None when it is another command."""
    if words[:5] == ["docker", "compose", "run", "--rm", "migrate"]:
        return words[5:]
    return words[1:] if words[0] == "clerk" else None


CLERK = [told for words in commands_in_console_blocks() if (told := clerks_words(words))]


@pytest.mark.parametrize("words", CLERK, ids=" ".join)
def test_every_clerk_command_that_is_only_shown_can_be_parsed(words: list[str]) -> None:
    command = get_command(app)
    context = typer.Context(command)
    while isinstance(command, typer.core.TyperGroup):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, typer.Context(found, info_name=name)
    with command.make_context(command.name, list(words), resilient_parsing=False):
        pass


def test_every_target_of_make_that_is_shown_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = [words[1] for words in commands_in_console_blocks() if words[0] == "make"]
    assert targets == ["up", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = {"CLERK_TEST_BROKER_URL", "CLERK_TEST_DATABASE_URL"}
    for service in SERVICES:
        for name, field in service.settings_class().model_fields.items():
            known.add(str(field.validation_alias or f"CLERK_{name.upper()}"))
    assert set(re.findall(r"\bCLERK_[A-Z_]*[A-Z]\b", README)) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_function_that_is_named_with_its_file_is_there(page: Path) -> None:
    for file, name in re.findall(r"`([\w/]+\.py):(\w+)", page.read_text()):
        path = next((folder / file for folder in (ROOT, page.parent) if (folder / file).exists()), None)
        assert path is not None, file
        assert re.search(rf"^ *(def|class) {name}\b", path.read_text(), re.MULTILINE), f"{file}:{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_names_a_folder_of_this_machine(page: Path) -> None:
    text = page.read_text()
    assert "/work/" not in text
    assert "/tmp/" not in text


def test_the_table_of_processes_is_what_the_processes_are() -> None:
    for process in discover():
        steps = " → ".join(f"**{step.name}**" if step.pivot else step.name for step in process.steps)
        assert re.search(rf"^\| `{process.reference}` \| .* \| {re.escape(steps)} \|$", README, re.MULTILINE)

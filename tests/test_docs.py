"""The pages tell the truth: their blocks are executed on a real `clerk up`, their commands, links and names exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.main import get_command

from clerk_cli.commands import app
from clerk_cli.services import SERVICES
from messaging.secret_files import variable_of
from shop_manager.processes import discover
from tests.pages import (
    DOCS,
    PAGES,
    ROOT,
    URL_ON_PAGES,
    as_pattern,
    blocks,
    check,
    clerk_up,
    executed,
    files,
    name_of,
)

ON_A_SHOP = [
    "README.md",
    "docs/tutorial/backend.md",
    "docs/tutorial/first-order.md",
    "docs/how-to/shop-backend.md",
    "docs/how-to/write-a-client.md",
    "docs/how-to/verify-and-repair.md",
]
ON_A_FAULTY_SHOP = ["docs/tutorial/first-stuck-order.md"]
EXECUTED_ELSEWHERE = {
    "docs/faults.md": "clerk_cli/tests/test_faults_pages.py",
    "docs/operators.md": "tests/test_operators_guide.py",
    "docs/tutorial/first-own-step.md": "tests/test_worked_example.py",
}
LANGUAGES = {"sh", "output", "console", "python", "javascript", "html", "mermaid", "json", "text"}
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("CI") != "true", reason="the pages' commands need curl"
)


# --- what is executed ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A running `clerk up`: its working folder, and where it listens."""
    folder = tmp_path_factory.mktemp("pages")
    with clerk_up(folder) as url:
        yield folder, url


@needs_curl
@pytest.mark.parametrize("page", ON_A_SHOP)
def test_every_block_does_what_is_printed_behind_it(shop: tuple[Path, str], page: str) -> None:
    text, (folder, url) = (ROOT / page).read_text(), shop
    for name, content in files(text).items():
        (folder / name).write_text(content.replace(URL_ON_PAGES, url))
    check(executed(text), folder, url)


@needs_curl
@pytest.mark.parametrize("page", ON_A_FAULTY_SHOP)
def test_every_block_of_a_page_on_faults_does_what_is_printed_behind_it(tmp_path: Path, page: str) -> None:
    text = (ROOT / page).read_text()
    [start] = [words for words in commands_in_console_blocks(text) if words[0] == "clerk"]
    assert start == ["clerk", "up", "--faults"]
    with clerk_up(tmp_path, *start[2:]) as url:
        check(executed(text), tmp_path, url)


def test_every_page_with_a_block_that_is_executed_is_executed() -> None:
    runnable = {name_of(page) for page in PAGES if any(language == "sh" for language, _ in blocks(page.read_text()))}
    assert runnable == {*ON_A_SHOP, *ON_A_FAULTY_SHOP, *EXECUTED_ELSEWHERE}
    for page, test in EXECUTED_ELSEWHERE.items():
        assert page.rpartition("/")[2].removesuffix(".md") in (ROOT / test).read_text(), test


def test_an_answer_that_differs_is_noticed() -> None:
    assert re.fullmatch(as_pattern('"clk_…"\n…\nend\n'), '"clk_1"\nmore\nand more\nend\n')
    assert not re.fullmatch(as_pattern('{"status": "completed"}\n'), '{"status": "failed"}\n')
    assert not re.fullmatch(as_pattern("one\n"), "one\ntwo\n")


@every_page
def test_blocks_that_are_not_executed_are_marked_by_their_language(page: Path) -> None:
    assert {language for language, _ in blocks(page.read_text())} <= LANGUAGES


# --- what is only shown ----------------------------------------------------------------------------------------------


def commands_in_console_blocks(text: str) -> list[list[str]]:
    """The commands as words, without the variables that are set in front of them."""
    lines = [line for language, content in blocks(text) if language == "console" for line in content.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if line]
    return [words[_first_word(words) :] for words in commands if words]


def _first_word(words: list[str]) -> int:
    return next((index for index, word in enumerate(words) if not re.match(r"[A-Z_]+=", word)), 0)


def clerks_words(words: list[str]) -> list[str] | None:
    """What `clerk` is told by a command line, be it through docker compose; None when it is another command."""
    if words[:5] == ["docker", "compose", "run", "--rm", "migrate"]:
        return words[5:]
    return words[1:] if words[0] == "clerk" else None


SHOWN = [(page, words) for page in PAGES for words in commands_in_console_blocks(page.read_text())]
CLERK = [(page, told) for page, words in SHOWN if (told := clerks_words(words))]


@pytest.mark.parametrize(
    ("page", "words"), CLERK, ids=[f"{name_of(page)}: clerk {' '.join(words)}" for page, words in CLERK]
)
def test_every_clerk_command_that_is_only_shown_can_be_parsed(page: Path, words: list[str]) -> None:
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
    targets = {words[1] for _, words in SHOWN if words[0] == "make"}
    assert {"up", "test", "chaos", "reliability"} <= targets
    assert [each for each in targets if not re.search(rf"^{each}:", makefile, re.MULTILINE)] == []


def test_every_module_that_is_shown_as_a_command_exists() -> None:
    shown = {module for page in PAGES for module in re.findall(r"python -m ([\w.]+)", page.read_text())}
    assert {"shop_manager.schemas", "http_api.problems", "messaging.new_revision"} <= shown
    assert [module for module in shown if find_spec(module) is None] == []


# --- names and links -------------------------------------------------------------------------------------------------


@cache
def settings() -> dict[str, dict[str, FieldInfo]]:
    """Variable → the services that have it, with its field in each."""
    found: dict[str, dict[str, FieldInfo]] = {}
    for service in SERVICES:
        cls = service.settings_class()
        for name, field in cls.model_fields.items():
            found.setdefault(variable_of(cls, name), {})[service.name] = field
    return found


@cache
def _variables_in_code() -> frozenset[str]:
    text = "".join(path.read_text() for top in ROOT.glob("*/__init__.py") for path in top.parent.rglob("*.py"))
    return frozenset(re.findall(r"\bCLERK_[A-Z_]*[A-Z]\b", text))


@every_page
def test_every_variable_that_is_named_is_a_setting_or_is_read_by_the_code(page: Path) -> None:
    assert set(re.findall(r"\bCLERK_[A-Z_]*[A-Z]\b", page.read_text())) <= _variables_in_code() | set(settings())


def words_of(text: str) -> str:
    """The text without code, in which a link or a heading would be none."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: Path) -> frozenset[str]:
    """What `#…` may say of a page: its headings as GitHub writes them, numbered when there are several alike."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for title in re.findall(r"^#+ (.+)$", words_of(page.read_text()), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def links(page: Path) -> list[tuple[Path, str]]:
    """(file, anchor) of every link that leads to the project itself."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", words_of(page.read_text())))
    parts = [target.partition("#") for target in targets if "://" not in target]
    return [((page.parent / path) if path else page, anchor) for path, _, anchor in parts]


@every_page
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    assert [str(target) for target, _ in links(page) if not target.exists()] == []


@every_page
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    to_pages = [(target.resolve(), anchor) for target, anchor in links(page) if anchor and target.is_file()]
    assert [(name_of(target), anchor) for target, anchor in to_pages if anchor not in anchors(target)] == []


def test_a_heading_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `One` two: three\n\n## Again\n\n## Again\n\n```sh\n# no heading\n```\n[x](#no) `[y](z.md)`\n")
    assert anchors(page) == {"one-two-three", "again", "again-1"}
    assert links(page) == [(page, "no")]


@every_page
def test_every_function_that_is_named_with_its_file_is_there(page: Path) -> None:
    for file, name in re.findall(r"`([\w/]+\.py):(\w+)", page.read_text()):
        path = next((folder / file for folder in (ROOT, page.parent) if (folder / file).exists()), None)
        assert path is not None, file
        assert re.search(rf"^ *(def|class) {name}\b", path.read_text(), re.MULTILINE), f"{file}:{name}"


@every_page
def test_no_page_names_a_folder_of_this_machine(page: Path) -> None:
    text = page.read_text()
    assert "/work/" not in text
    assert "/tmp/" not in text


def test_every_page_that_the_code_names_is_there() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {named}"
        for top in ROOT.glob("*/__init__.py")
        for path in top.parent.rglob("*.py")
        for named in re.findall(r"\b(?:docs(?:/[\w-]+)*/[\w-]+\.md|\w+/README\.md)\b", path.read_text())
        if not (ROOT / named).exists()
    ]
    assert missing == []


# --- the pages to look things up in ----------------------------------------------------------------------------------


def test_every_page_of_docs_is_in_its_index() -> None:
    indexed = {target.resolve() for target, _ in links(DOCS / "README.md")}
    decisions, messages = DOCS / "decisions", DOCS / "messages"  # each has an index of its own
    pages = {page for page in DOCS.rglob("*.md") if decisions not in page.parents and messages not in page.parents}
    wanted = {*pages, decisions / "README.md", messages / "README.md"} - {DOCS / "README.md"}
    assert [name_of(page) for page in sorted(wanted - indexed)] == []


def test_the_page_of_settings_has_them_all_with_their_defaults() -> None:
    text = (DOCS / "reference" / "settings.md").read_text()
    for service in SERVICES:
        title = {"shop_manager": "ShopManager"}.get(service.name, service.name.capitalize())
        own = {name: given[service.name] for name, given in settings().items() if list(given) == [service.name]}
        assert _table(text, title) == {name: _default(field) for name, field in own.items()}
    common = {name: given["shop"] for name, given in settings().items() if len(given) == len(SERVICES)}
    assert _table(text, "Every service") == {name: _default(field) for name, field in common.items()}


def _table(text: str, title: str) -> dict[str, str]:
    chapter = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(CLERK_\w+)` \| (.*?) \|", chapter, re.MULTILINE))


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value != "" else "not set"


def test_the_page_of_the_command_line_has_every_command_with_its_options() -> None:
    rows = re.findall(r"^\| `clerk ([^`]+)` \| (.*) \|$", (DOCS / "reference" / "cli.md").read_text(), re.MULTILINE)
    told = {usage: sorted(re.findall(r"`(--[\w-]+)`", text)) for usage, text in rows}
    assert told == dict(_usages(get_command(app), ""))


def _usages(command: typer.core.TyperGroup | object, name: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(command, typer.core.TyperGroup):
        for part, inner in command.commands.items():
            yield from _usages(inner, f"{name} {part}".strip())
        return
    params = getattr(command, "params", [])
    words = [
        each.name.upper() if each.required else f"[{each.name.upper()}]"
        for each in params
        if each.param_type_name == "argument"
    ]
    options = sorted(each.opts[0] for each in params if each.param_type_name == "option")
    yield " ".join([name, *words]), options


def test_the_table_of_processes_is_what_the_processes_are() -> None:
    text = (DOCS / "reference" / "processes.md").read_text()
    for process in discover():
        steps = " → ".join(f"**{step.name}**" if step.pivot else step.name for step in process.steps)
        assert re.search(rf"^\| `{process.reference}` \| .* \| {re.escape(steps)} \|$", text, re.MULTILINE)

"""The rules that `docs/design/` numbers, and where the project's own text cites a page or a rule."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "design"
_RULE = r"[MUPTDEOBSI]\d{1,2}"
_KEPT = re.compile(rf"^- \*\*({_RULE})\*\* ", re.MULTILINE)
_NOT_BUILT = re.compile(rf"^- ({_RULE}) \(", re.MULTILINE)
_CITED_RULE = re.compile(rf"(?<![\w./#-]){_RULE}(?![\w-])")
_CITED_PAGE = re.compile(r"(?<![\w./-])(?:[\w.-]+/)*[\w-]+\.md\b")
_NOT_OURS = {".venv", ".cache", ".git", "node_modules"}


class Citation(NamedTuple):
    """`what` is a rule's number or a page's path, as it stands in `file` at `line`."""

    file: Path
    line: int
    what: str


def rules() -> list[str]:
    """Every rule that holds: `- **M1** …` on a page."""
    return [rule for page in sorted(PAGES.glob("*.md")) for rule in _KEPT.findall(page.read_text())]


def rules_not_built() -> list[str]:
    """Rules that have a number, and a line that says that they are not built: `- S6 (…): …`."""
    return [rule for page in sorted(PAGES.glob("*.md")) for rule in _NOT_BUILT.findall(page.read_text())]


def files(pattern: str) -> list[Path]:
    """The project's own files of that kind."""
    return [path for path in sorted(ROOT.rglob(pattern)) if not _NOT_OURS & set(path.relative_to(ROOT).parts)]


def _cited_in_prose(path: Path, cited: re.Pattern[str]) -> Iterator[Citation]:
    """In what people read in a source file, with the line where that begins: docstrings and comments."""
    source = path.read_text()
    if cited.search(source):  # else there is nothing to take apart, which takes a thousand times longer
        yield from (Citation(path, line, found) for line, text in _prose(source) for found in cited.findall(text))


def _prose(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            yield token.start[0], token.string


def cited_rules() -> Iterator[Citation]:
    """In sources, in the names of tests (`test_M4_…`), and in documents."""
    for path in files("*.md"):
        for line, text in enumerate(path.read_text().splitlines(), start=1):
            yield from (Citation(path, line, found) for found in _CITED_RULE.findall(text))
    for path in files("*.py"):
        yield from _cited_in_prose(path, _CITED_RULE)
        for number, line_of_code in enumerate(path.read_text().splitlines(), start=1):
            name = re.match(r"\s*def (test_\w+)", line_of_code)
            words = name[1].split("_") if name else []
            yield from (Citation(path, number, word) for word in words if re.fullmatch(_RULE, word))


def cited_pages() -> Iterator[Citation]:
    """Markdown pages that sources name."""
    for path in files("*.py"):
        yield from _cited_in_prose(path, _CITED_PAGE)

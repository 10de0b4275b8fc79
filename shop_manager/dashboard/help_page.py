"""The help page: docs/operators.md as HTML; the installed package has a copy of it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from shop_manager.dashboard.layout import Layout

GUIDE = "operators.md"
NOT_HERE = f"# Help\n\nThe guide was not installed with this ShopManager: it is `docs/{GUIDE}` in the sources.\n"


def help_page(router: APIRouter, layout: Layout) -> None:
    @router.get("/help")
    def help_for_operators(request: Request) -> Response:
        return layout.page(request, "help.html", guide=guide())


@cache
def guide() -> Markup:
    return as_html(_source())


def as_html(markdown: str) -> Markup:
    """Markdown as HTML in which each heading has an id. HTML in it stays text."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(markdown)
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", anchor(_text_of(content)))
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704  the reader lets no HTML through


def anchor(title: str) -> str:
    """`Undo fails: undo_failing` → `undo-fails-undo-failing`."""
    return "-".join("".join(each if each.isalnum() else " " for each in title.lower()).split())


def _text_of(content: Token) -> str:
    return "".join(each.content for each in content.children or [])


def _source() -> str:
    """In the source tree it is in docs/; an installed package has it beside this file, or not at all."""
    for place in (Path(__file__).parents[2] / "docs" / GUIDE, Path(__file__).with_name(GUIDE)):
        if place.is_file():
            return place.read_text()
    return NOT_HERE

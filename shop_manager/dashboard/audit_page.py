"""The page of the audit: who did what, when and why, what was before and after; refused attempts too (security S9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.difference import Line, lines
from shop_manager.dashboard.shell import Shell
from shop_manager.operations.audit import FILTERS
from shop_manager.operations.changes import difference
from shop_manager.operations.reads import Reads

PATH = "/dashboard/audit"
_PAGES = {"clerk": "/dashboard/clerks/", "parked": "/dashboard/parked/", "bulk": "/dashboard/bulk/"}


class Shown(NamedTuple):
    """A line of the audit with what it changed, and the page of what it was about (`""` where there is none)."""

    line: Mapping[str, Any]
    changes: list[Line]
    href: str


def audit_page(router: APIRouter, shell: Shell, reads: Reads) -> None:
    @router.get("/audit")
    def audit(request: Request, cursor: str | None = None) -> Response:
        given = request.query_params
        wanted = {name: given.get(name, "").strip() or None for name in FILTERS}
        found = reads.audit(wanted, cursor=cursor)
        filtered = {name: value for name, value in wanted.items() if value}
        following = f"{PATH}?{urlencode({**filtered, 'cursor': found['next_cursor']})}" if found["has_more"] else ""
        return shell.page(
            request,
            "audit.html",
            shown=[_shown(line) for line in found["data"]],
            wanted=wanted,
            following=following,
            later=bool(cursor),
        )


def _shown(line: Mapping[str, Any]) -> Shown:
    changes = difference(line["before"] or {}, line["after"] or {}) if line["before"] or line["after"] else None
    return Shown(line, lines(changes), page_of(line["target"]))


def page_of(target: str) -> str:
    """Where `clerk:clk_…` is shown."""
    kind, _, name = target.partition(":")
    return f"{_PAGES[kind]}{quote(name, safe='')}" if kind in _PAGES and name else ""

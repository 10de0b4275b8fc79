"""The page of the operators' audit: who did what, when and why, before and after; refused attempts too (S9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.bulk_page import ACTIONS
from shop_manager.dashboard.document_diff import FieldChange, changes_of
from shop_manager.dashboard.layout import Layout
from shop_manager.operations.audit import FILTERS
from shop_manager.operations.changes import difference
from shop_manager.operations.reads import Reads

PATH = "/dashboard/audit"
_PAGE_OF = {"clerk": "/dashboard/clerks/", "parked": "/dashboard/parked/", "bulk": "/dashboard/bulk/"}


class AuditRow(NamedTuple):
    """A line of the audit with what it changed, and the page of what it was about (`""` where there is none)."""

    line: Mapping[str, Any]
    changes: list[FieldChange]
    href: str


def audit_page(router: APIRouter, layout: Layout, reads: Reads) -> None:
    @router.get("/audit")
    def audit(request: Request, cursor: str | None = None) -> Response:
        given = request.query_params
        wanted = {name: given.get(name, "").strip() or None for name in FILTERS}
        found = reads.audit(wanted, cursor=cursor)
        filtered = {name: value for name, value in wanted.items() if value}
        following = f"{PATH}?{urlencode({**filtered, 'cursor': found['next_cursor']})}" if found["has_more"] else ""
        return layout.page(
            request,
            "audit.html",
            names=ACTIONS,
            rows=[_row(line) for line in found["data"]],
            wanted=wanted,
            following=following,
            later=bool(cursor),
        )


def _row(line: Mapping[str, Any]) -> AuditRow:
    changes = difference(line["before"] or {}, line["after"] or {}) if line["before"] or line["after"] else None
    return AuditRow(line, changes_of(changes), page_of(line["target"]))


def page_of(target: str) -> str:
    """The page of a target such as `clerk:clk_…`."""
    kind, _, name = target.partition(":")
    return f"{_PAGE_OF[kind]}{quote(name, safe='')}" if kind in _PAGE_OF and name else ""

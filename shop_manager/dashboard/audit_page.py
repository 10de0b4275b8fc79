"""The page of the operators' audit: who did what, when and why, before and after; refused attempts too (S9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.address_errors import AddressQuery, checked
from shop_manager.dashboard.bulk_page import ACTIONS
from shop_manager.dashboard.document_diff import FieldChange, changes_of
from shop_manager.dashboard.layout import Layout
from shop_manager.dashboard.query_parameters import address
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
        query = checked(_read(request.query_params), request.query_params, FILTERS, {"cursor"})
        found: dict[str, Any] = {"data": [], "has_more": False}
        if not query.errors:
            found = reads.audit({name: query.values.get(name) for name in FILTERS}, cursor=cursor)
        return layout.page(
            request,
            "audit.html",
            422 if query.errors else 200,
            names=ACTIONS,
            rows=[_row(line) for line in found["data"]],
            query=query,
            following=address(PATH, query.values, cursor=found["next_cursor"]) if found["has_more"] else "",
            later=bool(cursor),
        )


def _read(parameters: Mapping[str, str]) -> AddressQuery:
    given = {name: parameters.get(name, "").strip() for name in FILTERS}
    return AddressQuery({name: value for name, value in given.items() if value})


def _row(line: Mapping[str, Any]) -> AuditRow:
    changes = difference(line["before"] or {}, line["after"] or {}) if line["before"] or line["after"] else None
    return AuditRow(line, changes_of(changes), page_of(line["target"]))


def page_of(target: str) -> str:
    """The page of a target such as `clerk:clk_…`."""
    kind, _, name = target.partition(":")
    return f"{_PAGE_OF[kind]}{quote(name, safe='')}" if kind in _PAGE_OF and name else ""

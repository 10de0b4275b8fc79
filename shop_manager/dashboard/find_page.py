"""The search of every page: the page of all that fits, and the first few of it while somebody types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from shop_manager.dashboard.layout import HEADERS, Layout, render
from shop_manager.dashboard.query_parameters import address
from shop_manager.operations.reads import Reads

SHOWN, WHILE_TYPING = 20, 4
"""Hits of a kind."""
LONGEST = 200
KINDS = {
    "clerk": "Clerk",
    "message": "Message of",
    "client_reference": "Client reference",
    "customer": "Customer",
    "name": "Name",
    "email": "E-mail",
    "tracking": "Tracking number",
    "provider_reference": "Payment reference",
    "sku": "Article",
    "parked": "Parked message",
    "operator": "Operator",
}
"""How pages call what something was found by."""


def find_page(router: APIRouter, layout: Layout, reads: Reads) -> None:
    @router.get("/find")
    def find(request: Request) -> Response:
        """One thing that fits is opened; several are listed by kind."""
        text = _text(request)
        found = reads.search(text, SHOWN)
        if found["only"]:
            return RedirectResponse(path_of(found["only"]), 303, HEADERS)
        return layout.page(request, "find.html", searched=text, groups=_shown(found))

    @router.get("/find/hits")
    def hits(request: Request) -> Response:
        """A part of a page, for search.js."""
        text = _text(request)
        groups = _shown(reads.search(text, WHILE_TYPING))
        return render(request, "find_hits.html", now=layout.now(), searched=text, groups=groups)


def path_of(hit: Mapping[str, Any]) -> str:
    """The page of what was found."""
    name = quote(hit["id"], safe="")
    if hit["type"] == "customer":
        return f"/dashboard/customers/{name}"
    if hit["type"] == "operator":
        return address("/dashboard/audit", {"who": hit["id"]})
    return f"/dashboard/{'parked' if hit['type'] == 'parked' else 'clerks'}/{name}"


def _text(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:LONGEST]


def _shown(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": KINDS[group["kind"]],
            "more": group["more"],
            "hits": [{**hit, "path": path_of(hit)} for hit in group["hits"]],
        }
        for group in found["groups"]
    ]

"""Saved views: filters of the list of Clerks that an operator has given a name."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from shop_manager.dashboard.forms import principal_of, validated
from shop_manager.dashboard.layout import HEADERS
from shop_manager.dashboard.query_parameters import ClerkQuery, address, read_clerk_query
from shop_manager.operations.requests import ViewAsk
from shop_manager.operations.saved_views import Views

PATH = "/dashboard/clerks"


def saved_views_routes(router: APIRouter, views: Views) -> None:
    @router.get("/views")
    def to_list() -> Response:
        return RedirectResponse(PATH, 303, HEADERS)

    @router.post("/views")
    def save(request: Request) -> Response:
        form = request.state.form
        query = _parsed(form.get("query", ""))
        view = validated(ViewAsk, {"name": form.get("name", "").strip(), "query": query_string_of(query)})
        views.save(principal_of(request), view.name, view.query)
        return _back_to_list(query)

    @router.post("/views/remove")
    def remove(request: Request) -> Response:
        form = request.state.form
        views.remove(principal_of(request), form.get("name", ""))
        return _back_to_list(_parsed(form.get("query", "")))


def saved_views_of(request: Request, views: Views, query: ClerkQuery) -> list[dict[str, Any]]:
    """Those of who is logged in: `{name, address, current}`; `current` is the one of this query."""
    shown = []
    for view in views.all_of(principal_of(request))["data"]:
        saved = _parsed(view["query"])
        shown.append({"name": view["name"], "address": address(PATH, saved.values), "current": saved == query})
    return shown


def query_string_of(query: ClerkQuery) -> str:
    """The filter and the order, as they stand behind the `?`; the cursor is no part of a view."""
    return address("", query.values).removeprefix("?")


def _parsed(query_string: str) -> ClerkQuery:
    return read_clerk_query(dict(parse_qsl(query_string, max_num_fields=50)))


def _back_to_list(query: ClerkQuery) -> Response:
    return RedirectResponse(address(PATH, query.values), 303, HEADERS)

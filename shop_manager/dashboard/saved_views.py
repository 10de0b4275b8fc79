"""Saved views: filters of the list of Clerks that operators have given names, their own and those that are shared."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from http_api.principals import has_role
from shop_manager.dashboard.address_errors import checked
from shop_manager.dashboard.forms import principal_of, validated
from shop_manager.dashboard.layout import HEADERS
from shop_manager.dashboard.query_parameters import FILTERS, NAMES_IN_OPS, ClerkQuery, address, read_clerk_query
from shop_manager.operations.claim_rows import key_of
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import ViewAsk
from shop_manager.operations.saved_views import Views

PATH = "/dashboard/clerks"
KEPT = frozenset({*FILTERS, *NAMES_IN_OPS.values(), "sort", "columns"})
"""What a view may say."""
COUNTED = 1_000
"""Of a view that more Clerks fit it is said that there are more."""
AT_HOME = 8
WITH_COUNTS = 20
"""Views of one page that are counted: each is one search of an index or two."""


def saved_views_routes(router: APIRouter, views: Views) -> None:
    views.wrong_in = wrong_in

    @router.get("/views")
    def to_list() -> Response:
        return RedirectResponse(PATH, 303, HEADERS)

    @router.post("/views")
    def save(request: Request) -> Response:
        form, who = request.state.form, principal_of(request)
        query = _parsed(form.get("query", ""))
        asked: dict[str, Any] = {"name": form.get("name", "").strip(), "query": query_string_of(query)}
        asked |= {"shared": form.get("shared") == "yes", "owner": form.get("owner") or None}
        view = validated(ViewAsk, asked)
        views.save(who, view.name, view.query, shared=view.shared, owner=view.owner)
        return _back_to_list(query)

    @router.post("/views/remove")
    def remove(request: Request) -> Response:
        form = request.state.form
        views.remove(principal_of(request), form.get("name", ""), owner=form.get("owner") or None)
        return _back_to_list(_parsed(form.get("query", "")))


def saved_views_of(request: Request, operations: Operations, query: ClerkQuery) -> list[dict[str, Any]]:
    """One's own and the shared ones: `{name, address, current, owner, shared, own, may_change, count}`.

    `wrong`: why the list cannot show it, or "". `current`: it is the one of this query.
    `count` in words, of the first WITH_COUNTS, else empty.
    """
    who, shown = principal_of(request), list[dict[str, Any]]()
    for number, view in enumerate(operations.views.all_of(who)["data"]):
        saved = _parsed(view["query"], key_of(who))
        own = view["owner"] == who.stable_name
        shown.append({
            **{name: view[name] for name in ("name", "owner", "shared")},
            "address": address(PATH, saved.values),
            "wrong": wrong_in(view["query"]),
            "current": saved == query and not wrong_in(view["query"]),
            "own": own,
            "may_change": own or has_role(who, "admin"),
            "count": _count(operations, saved) if number < WITH_COUNTS else "",
        })  # fmt: skip
    return shown


def home_views(request: Request, operations: Operations) -> dict[str, Any]:
    """`{views, more}`: a few of them for the home page, `{name, address, owner, own, count}`, one's own first, and how
    many more there are on the list.
    """
    who, shown = principal_of(request), list[dict[str, Any]]()
    found = operations.views.all_of(who)["data"]
    can_be_shown = [view for view in found if not wrong_in(view["query"])][:AT_HOME]
    for view in can_be_shown:
        saved = _parsed(view["query"], key_of(who))
        own = view["owner"] == who.stable_name
        known = {"name": view["name"], "owner": view["owner"], "own": own, "address": address(PATH, saved.values)}
        shown.append({**known, "count": _count(operations, saved)})
    return {"views": shown, "more": len(found) - len(shown)}


def query_string_of(query: ClerkQuery) -> str:
    """The filter and the order, as they stand behind the `?`; the cursor is no part of a view."""
    return address("", query.values).removeprefix("?")


def wrong_in(query_string: str) -> str:
    """What of a query the list does not know, by name and value, and what is allowed; "" when it knows all."""
    try:
        given = QueryParams(parse_qsl(query_string, max_num_fields=50))
    except ValueError:
        return "at most 50 parameters are allowed"
    errors = checked(read_clerk_query(given), given, KEPT, {"cursor"}).errors
    return next((f"{name}={given.get(name, '')[:40]}: {why}" for name, why in errors.items()), "")


def _count(operations: Operations, query: ClerkQuery) -> str:
    """How many Clerks fit now: `12`, or `1000+`."""
    if query.errors:
        return ""
    found, more = operations.reads.count(query.filter, query.times, query.sort, COUNTED)
    return f"{found}+" if more else str(found)


def _parsed(query_string: str, operator: str = "") -> ClerkQuery:
    """`operator`: whose claims are `mine` in it."""
    return read_clerk_query(dict(parse_qsl(query_string, max_num_fields=50)), operator)


def _back_to_list(query: ClerkQuery) -> Response:
    return RedirectResponse(address(PATH, query.values), 303, HEADERS)

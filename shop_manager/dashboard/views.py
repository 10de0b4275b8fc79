"""Saved views: an operator's own names for filters of the list of Clerks."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from shop_manager.dashboard.acting import caller_of, checked
from shop_manager.dashboard.asked import Asked, address, read_asked
from shop_manager.dashboard.shell import HEADERS
from shop_manager.operations.requests import ViewAsk
from shop_manager.operations.views import Views

PATH = "/dashboard/clerks"


def views_routes(router: APIRouter, views: Views) -> None:
    @router.post("/views")
    def save(request: Request) -> Response:
        form = request.state.form
        asked = _read(form.get("query", ""))
        view = checked(ViewAsk, {"name": form.get("name", "").strip(), "query": query_of(asked)})
        views.save(caller_of(request), view.name, view.query)
        return _back(asked)

    @router.post("/views/remove")
    def remove(request: Request) -> Response:
        form = request.state.form
        views.remove(caller_of(request), form.get("name", ""))
        return _back(_read(form.get("query", "")))


def views_shown(request: Request, views: Views, asked: Asked) -> list[dict[str, Any]]:
    """The caller's views: `{name, address, current}`."""
    shown = []
    for view in views.all_of(caller_of(request))["data"]:
        kept = _read(view["query"])
        shown.append({"name": view["name"], "address": address(PATH, kept.values), "current": kept == asked})
    return shown


def query_of(asked: Asked) -> str:
    """The filter and the order, as they stand behind the `?`; the page that is looked at is no part of a view."""
    return address("", asked.values).removeprefix("?")


def _read(query: str) -> Asked:
    return read_asked(dict(parse_qsl(query, max_num_fields=50)))


def _back(asked: Asked) -> Response:
    return RedirectResponse(address(PATH, asked.values), 303, HEADERS)

"""The page of an operator's own settings: in which time the pages are read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from http_api.problems import Problem
from shop_manager.dashboard.forms import principal_of, raise_unless_shown
from shop_manager.dashboard.layout import Layout, done_before, lead_on
from shop_manager.operations.clocks import Clocks

PATH = "/dashboard/settings"


def settings_page(router: APIRouter, layout: Layout, clocks: Clocks) -> None:
    @router.get("/settings")
    def settings(request: Request) -> Response:
        return layout.page(request, "settings.html", done=done_before(request) == "settings", error="")

    @router.post("/settings")
    def save(request: Request) -> Response:
        try:
            clocks.choose(principal_of(request), request.state.form.get("clock", ""))
        except Problem as problem:
            raise_unless_shown(problem)
            return layout.page(request, "settings.html", 422, done=False, error=problem.detail)
        return lead_on(request, PATH, "settings")

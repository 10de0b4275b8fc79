"""The page of the notes that name whoever is logged in, and the word of it at the top of every page."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.forms import principal_of
from shop_manager.dashboard.layout import Layout
from shop_manager.operations.mentions import Mentions


def named_page(router: APIRouter, layout: Layout, mentions: Mentions) -> None:
    @router.get("/named")
    def named(request: Request) -> Response:
        return layout.page(request, "named.html", notes=mentions.of(principal_of(request))["data"])

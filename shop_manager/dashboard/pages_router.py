"""The router of the pages: what one shows comes from one moment, and an act's address leads to its form."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from http_api.routes import Routes
from messaging.database import Database
from shop_manager.dashboard.layout import HEADERS
from shop_manager.dashboard.not_yet import SHOWS_ITS_FORM, raise_if_not_yet


class PagesRouter(Routes):
    """As Routes. An endpoint of GET reads the database within `Database.one_moment`; an act that has only come back to
    its form is not done, whatever its endpoint does (decision 150).
    """

    def __init__(self, database: Database, **options: Any) -> None:
        super().__init__(**options)
        self._database = database

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        only_shows = list(options.get("methods") or []) == ["GET"]
        if not only_shows and not hasattr(endpoint, SHOWS_ITS_FORM):
            options["dependencies"] = [*(options.get("dependencies") or ()), Depends(raise_if_not_yet)]
        super().add_api_route(path, self._in_one_moment(endpoint) if only_shows else endpoint, **options)

    def _in_one_moment(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(endpoint)
        def page(*arguments: Any, **named: Any) -> Any:
            with self._database.one_moment():
                return endpoint(*arguments, **named)

        return page

    def lead_acts_back(self) -> None:
        """An address to which only acts are sent leads to the page with the form when it is asked for itself: it may
        be left over from a refused act. To be called after all pages were added.
        """
        known = list(self.declared())
        shown = {route.path for route in known if "GET" in route.methods}
        for path in sorted({route.path for route in known} - shown):
            parts = 0
            while path.rsplit("/", parts)[0] not in shown:
                parts += 1
            self.add_api_route(path.removeprefix(self.prefix), _to_page(parts), methods=["GET"])


def _to_page(parts: int) -> Callable[[Request], Response]:
    """Leads to the address without its last parts."""

    def to_page(request: Request) -> Response:
        return RedirectResponse(request.url.path.rsplit("/", parts)[0], 303, HEADERS)

    return to_page

"""Pages whose figures come from one moment: the router of the pages wraps each that only shows something."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import APIRouter

from messaging.database import Database


class PagesRouter(APIRouter):
    """As APIRouter. An endpoint of GET reads the database within `Database.one_moment`."""

    def __init__(self, database: Database, **options: Any) -> None:
        super().__init__(**options)
        self._database = database

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        only_shows = list(options.get("methods") or []) == ["GET"]
        super().add_api_route(path, self._in_one_moment(endpoint) if only_shows else endpoint, **options)

    def _in_one_moment(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(endpoint)
        def page(*arguments: Any, **named: Any) -> Any:
            with self._database.one_moment():
                return endpoint(*arguments, **named)

        return page

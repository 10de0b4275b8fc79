"""Routes that are read once. FastAPI reads the function of a route when it is declared, and again when the application
includes its router: that was half of what a process does while it starts (docs/decisions/148).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends


class Declared(NamedTuple):
    """A route as an application adds it: `path` with all prefixes, `options` those of FastAPI's `add_api_route`."""

    path: str
    endpoint: Callable[..., Any]
    options: dict[str, Any]

    @property
    def methods(self) -> frozenset[str]:
        return frozenset(self.options.get("methods") or ["GET"])


class Routes(APIRouter):
    """Is written to as an APIRouter, and remembers its routes until `add_to`; `FastAPI.include_router` finds none."""

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        dependencies: Sequence[Depends] = (),
        include_in_schema: bool = True,
    ) -> None:
        super().__init__(prefix=prefix, include_in_schema=include_in_schema)
        self._tags, self._dependencies = tuple(tags), tuple(dependencies)
        self._declared: list[Declared] = []

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["tags"] = [*self._tags, *(options.get("tags") or ())]
        options["dependencies"] = [*self._dependencies, *(options.get("dependencies") or ())]
        options["include_in_schema"] = self.include_in_schema and options.get("include_in_schema", True)
        self._declared.append(Declared(self.prefix + path, endpoint, options))

    def declared(self) -> Iterator[Declared]:
        """In the order in which they are looked at."""
        return iter(self._declared)

    def add_to(self, app: FastAPI, *, to_describe: bool = False) -> None:
        """`to_describe`: with the models of all answers too, which are slow to read and only document."""
        for path, endpoint, options in self._declared:
            responses = options.get("responses") if to_describe else None
            app.router.add_api_route(path, endpoint, **{**options, "responses": responses})


def add_routes(app: FastAPI, routers: Sequence[APIRouter], *, to_describe: bool = False) -> None:
    """The application has the routes of these from now on; `to_describe` as for `Routes.add_to`."""
    for router in routers:
        if isinstance(router, Routes):
            router.add_to(app, to_describe=to_describe)
        else:
            app.include_router(router)

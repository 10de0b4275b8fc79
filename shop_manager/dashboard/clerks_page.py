"""The list of Clerks: by any filter, grouped by cause when they are stuck, also as a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.datastructures import QueryParams

from domain.times import from_wire, to_wire
from http_api.problems import Problem, invalid
from shop_manager.dashboard.address_errors import checked
from shop_manager.dashboard.chips import chips_of, quick_filters
from shop_manager.dashboard.form_numbers import is_number
from shop_manager.dashboard.layout import ENVIRONMENT, HEADERS, Layout, login_of, may
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.query_parameters import (
    CHOICES,
    CHOSEN,
    COLUMNS,
    MOMENTS,
    NAMES,
    ClerkQuery,
    address,
    holds_what_was_typed,
    read_clerk_query,
)
from shop_manager.dashboard.saved_views import query_string_of, saved_views_of
from shop_manager.operations.claim_rows import key_of
from shop_manager.operations.export import PAGE, NextPage, as_csv, as_json_lines
from shop_manager.operations.facade import Operations

PATH = "/dashboard/clerks"
SHOWN = 50
LIVE_PATH = "/dashboard/live"
BESIDE = frozenset({"cursor"})
OF_UPDATES = frozenset({"of", "since", "shown"})
"""What else an address of the list, and one of its updates, holds."""


def clerks_pages(router: APIRouter, layout: Layout, live: LiveUpdates, operations: Operations) -> None:
    reader = ClerkListReader(operations)
    live.pages["clerks"] = reader.updates

    @router.get("/clerks")
    def clerks(request: Request) -> Response:
        query, cursor = query_of(request, layout.now()), request.query_params.get("cursor")
        if not query.errors and _is_a_form(request.query_params, query):
            return RedirectResponse(address(PATH, query.values), 303, HEADERS)
        found = reader.page(query, cursor, layout.now())
        return layout.page(
            request,
            "clerks.html",
            422 if query.errors else 200,
            query=query,
            query_string=query_string_of(query),
            at_cursor=bool(cursor),
            choices=CHOICES,
            chips=chips_of(query, PATH),
            quick_filters=quick_filters(query, PATH),
            processes=reader.processes,
            steps=reader.steps,
            views=saved_views_of(request, operations, query),
            columns=COLUMNS,
            may_choose=bool(found["lines"]) and may(login_of(request), "admin"),
            **found,
        )

    def pages(request: Request) -> NextPage:
        """For a file. Whoever reads slowly gets no further page once the login has ended."""
        page_at = reader.pages(request)

        def page_of_login(cursor: str | None) -> Mapping[str, Any]:
            if layout.logins.find(login_of(request).token, used=False) is None:
                raise Problem("unauthorized", "The login has ended.")
            return page_at(cursor)

        return page_of_login

    @router.get("/clerks.csv")
    def csv(request: Request) -> Response:
        return _file("text/csv; charset=utf-8", "clerks.csv", as_csv(pages(request)))

    @router.get("/clerks.json")
    def json(request: Request) -> Response:
        return _file("application/json", "clerks.json", as_json_lines(pages(request)))


def query_of(request: Request, now: int | None = None, beside: Collection[str] = BESIDE) -> ClerkQuery:
    """What the address asks for, by whoever is logged in. `now`: see read_clerk_query; `beside`: what else it holds."""
    query = read_clerk_query(request.query_params, key_of(login_of(request).principal), now)
    return checked(query, request.query_params, NAMES, beside)


def _is_a_form(parameters: QueryParams, query: ClerkQuery) -> bool:
    """Does it hold what a form has sent, and not what the list's own address says?"""
    typed = holds_what_was_typed(parameters, MOMENTS, query.values)
    return typed or any(name.startswith(CHOSEN) for name in parameters)


class ClerkListReader:
    """What the list, its files and its live updates read."""

    def __init__(self, operations: Operations) -> None:
        self._reads = operations.reads
        known = self._reads.registry.by_reference
        self.processes = sorted(known)
        self.steps = list(dict.fromkeys(name for process in known.values() for name in process.names))

    def page(self, query: ClerkQuery, cursor: str | None, now: int) -> dict[str, Any]:
        """`{lines, following, causes, live}`: the page of the list, the next one's cursor, and what is stuck."""
        found = {"data": [], "next_cursor": None} if query.errors else self._lines(query, cursor, SHOWN)
        causes = self._reads.causes() if query.values.get("stuck") == "yes" else []
        updates_of = {**query.values, "of": "clerks", "since": to_wire(now), "shown": len(found["data"])}
        return {
            "lines": found["data"],
            "following": found["next_cursor"],
            "causes": [cause for cause in causes if _is_among(cause, query)],
            "live": None if query.errors else address(LIVE_PATH, updates_of),
        }

    def pages(self, request: Request) -> NextPage:
        """Every page of the current filter, for a file; Problem 422 when the filter is wrong."""
        query = query_of(request)
        for name, error in query.errors.items():
            raise invalid(name, error)
        return self._reads.every_page(query.filter, times=query.times, sort=query.sort, limit=PAGE)

    def updates(self, request: Request) -> str:
        """How many of the list's first page are new, changed or gone since it was read; no line is moved."""
        query, since = query_of(request, beside=OF_UPDATES), _since(request)
        if query.errors or since is None:
            return ""
        lines = self._lines(query, None, SHOWN)["data"]
        new = sum(from_wire(_listed_since(line, query.sort)) > since for line in lines)
        changed = sum(from_wire(line["updated_at"]) > since for line in lines) - new
        shown = request.query_params.get("shown", "")
        gone = int(shown) - (len(lines) - new) if is_number(shown) else 0
        counts = {"new": new, "changed": max(0, changed), "gone": max(0, gone), "most": SHOWN}
        template = ENVIRONMENT.get_template("clerks_changed.html")
        return partial("news", template.render(counts, again=address(PATH, query.values)))

    def _lines(self, query: ClerkQuery, cursor: str | None, limit: int) -> dict[str, Any]:
        return self._reads.clerks(query.filter, times=query.times, sort=query.sort, limit=limit, cursor=cursor)


def _file(media_type: str, name: str, content: Iterator[bytes]) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=media_type, headers=headers)


def _listed_since(line: Mapping[str, Any], sort: str) -> str:
    """When a line came into a list of that order: when it got stuck, or was opened."""
    moment: str = line["stuck"]["since"] if "stuck_since" in sort else line["created_at"]
    return moment


def _is_among(cause: dict[str, Any], query: ClerkQuery) -> bool:
    """Can the filtered list have a Clerk of this cause?"""
    return all(query.values.get(name) in (None, cause[name]) for name in ("kind", "process", "step", "code"))


def _since(request: Request) -> int | None:
    try:
        return from_wire(request.query_params.get("since", ""))
    except ValueError:
        return None

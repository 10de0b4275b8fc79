"""The list of Clerks: found by any filter, grouped by what holds them up, told what is new without moving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from domain.ids import is_id
from domain.times import from_wire, to_wire
from doors.problems import Problem, invalid
from shop_manager.dashboard.asked import CHOICES, Asked, address, read_asked
from shop_manager.dashboard.live import Live, partial
from shop_manager.dashboard.shell import ENVIRONMENT, HEADERS, Shell
from shop_manager.dashboard.views import query_of, views_shown
from shop_manager.listing import Filter
from shop_manager.operations import Operations
from shop_manager.operations.export import PAGE, NextPage, as_csv, as_json_lines

PATH = "/dashboard/clerks"
SHOWN = 50
LIVE_PATH = "/dashboard/live"


def clerks_pages(router: APIRouter, shell: Shell, live: Live, operations: Operations) -> None:
    reader = Reader(operations)
    live.parts["clerks"] = reader.news

    @router.get("/clerks")
    def clerks(request: Request) -> Response:
        asked = read_asked(request.query_params)
        found = reader.page(asked, request.query_params.get("cursor"), shell.now())
        context = {"asked": asked, "choices": CHOICES, "processes": reader.processes, "steps": reader.steps, **found}
        context["at_cursor"] = bool(request.query_params.get("cursor"))
        context |= {"views": views_shown(request, operations.views, asked), "query": query_of(asked)}
        return shell.page(request, "clerks.html", 422 if asked.wrong else 200, **context)

    @router.get("/clerks.csv")
    def csv(request: Request) -> Response:
        return _file("text/csv; charset=utf-8", "clerks.csv", as_csv(reader.pages(request)))

    @router.get("/clerks.json")
    def json(request: Request) -> Response:
        return _file("application/json", "clerks.json", as_json_lines(reader.pages(request)))

    @router.get("/find")
    def find(request: Request) -> Response:
        return RedirectResponse(reader.found(request.query_params.get("q", "").strip()), 303)


class Reader:
    """What the list's pages read."""

    def __init__(self, operations: Operations) -> None:
        self._reads = operations.reads
        known = self._reads.catalogue.by_reference
        self.processes = sorted(known)
        self.steps = list(dict.fromkeys(name for process in known.values() for name in process.names))

    def page(self, asked: Asked, cursor: str | None, now: int) -> dict[str, Any]:
        """`{lines, following, causes, live}`: the page of the list, the next one's cursor, and what is stuck."""
        found = {"data": [], "next_cursor": None} if asked.wrong else self._lines(asked, cursor, SHOWN)
        causes = self._reads.causes() if asked.values.get("stuck") == "yes" else []
        news = {**asked.values, "of": "clerks", "since": to_wire(now)}
        return {
            "lines": found["data"],
            "following": found["next_cursor"],
            "causes": [cause for cause in causes if _is_among(cause, asked)],
            "live": None if asked.wrong else address(LIVE_PATH, news),
        }

    def pages(self, request: Request) -> NextPage:
        """Every page of the current filter, for a file; Problem 422 when the filter is wrong."""
        asked = read_asked(request.query_params)
        for name, why in asked.wrong.items():
            raise invalid(name, why)
        return lambda cursor: self._lines(asked, cursor, PAGE)

    def news(self, request: Request) -> str:
        """How many of the list's first page are new or changed since it was read; none of them is moved."""
        asked, since = read_asked(request.query_params), _since(request)
        if asked.wrong or since is None:
            return ""
        lines = self._lines(asked, None, SHOWN)["data"]
        new = sum(from_wire(_came_at(line, asked.sort)) > since for line in lines)
        changed = sum(from_wire(line["updated_at"]) > since for line in lines) - new
        told = {"new": new, "changed": max(0, changed), "most": SHOWN, "again": address(PATH, asked.values)}
        return partial("news", ENVIRONMENT.get_template("clerks_news.html").render(told))

    def found(self, words: str) -> str:
        """Where the search leads: to the Clerk of that id, else to the list of a reference or a customer."""
        if is_id(words) and self._is_a_clerk(words):
            return f"{PATH}/{words}"
        if words and self._reads.clerks(Filter(client_reference=words), limit=1)["data"]:
            return address(PATH, {"reference": words})
        return address(PATH, {"customer": words})

    def _lines(self, asked: Asked, cursor: str | None, limit: int) -> dict[str, Any]:
        return self._reads.clerks(
            asked.filter, older_than=asked.older_than, sort=asked.sort, limit=limit, cursor=cursor
        )

    def _is_a_clerk(self, words: str) -> bool:
        try:
            self._reads.clerk(words)
        except Problem:
            return False
        return True


def _file(kind: str, name: str, content: Iterator[bytes]) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=kind, headers=headers)


def _came_at(line: Mapping[str, Any], sort: str) -> str:
    """When a line came into a list of that order: as stuck, or at all."""
    came: str = line["stuck"]["since"] if "stuck_since" in sort else line["created_at"]
    return came


def _is_among(cause: dict[str, Any], asked: Asked) -> bool:
    """Does the filter leave something of this cause?"""
    return all(asked.values.get(name) in (None, cause[name]) for name in ("kind", "process", "step", "code"))


def _since(request: Request) -> int | None:
    try:
        return from_wire(request.query_params.get("since", ""))
    except ValueError:
        return None

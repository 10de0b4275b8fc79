"""The pages of bulk acts: preview with the frozen list, start with a pace, progress, stop, and each outcome (O4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from doors.answers import Id
from doors.problems import Problem
from shop_manager.dashboard.acting import TELLING, caller_of, checked, moment_in
from shop_manager.dashboard.asked import KINDS, STATUSES, address
from shop_manager.dashboard.clerk_view import NAMES
from shop_manager.dashboard.live import Live, partial
from shop_manager.dashboard.shell import ENVIRONMENT, HEADERS, Shell, login_of, may
from shop_manager.operations import Operations
from shop_manager.operations.bulk import PARKED
from shop_manager.operations.requests import BulkAction, BulkAsk, BulkPace

PATH = "/dashboard/bulk"
ACTIONS = {**{name: NAMES.get(name, name) for name in get_args(BulkAction)}, "replay": "Replay parked messages",
           "discard": "Discard parked messages"}  # fmt: skip
FILTER = ("kind", "status", "step", "process", "shop", "customer", "reference", "service")


def bulk_pages(router: APIRouter, shell: Shell, live: Live, operations: Operations) -> None:
    pages = _Pages(shell, operations)
    live.parts["bulk"] = pages.news

    @router.get("/bulk")
    def bulk_acts(request: Request) -> Response:
        return pages.listed(request, request.query_params or {"stuck": "yes"})

    @router.post("/bulk")
    def preview(request: Request) -> Response:
        form, who = request.state.form, caller_of(request)
        operations.bulk.require(who, "bulk_preview", "new")
        try:
            found = operations.bulk.preview(who, bulk_ask(form))
        except Problem as problem:
            if problem.code not in TELLING:
                raise
            return pages.listed(request, form, problem)
        return _go(found["id"])

    @router.get("/bulk/{bulk}")
    def bulk_act(bulk: Id, request: Request, cursor: Annotated[str, Query(max_length=1000)] = "") -> Response:
        return pages.one(request, bulk, cursor)

    @router.post("/bulk/{bulk}/{move}")
    def start_or_stop(bulk: Id, move: Literal["start", "stop"], request: Request) -> Response:
        who = caller_of(request)
        operations.bulk.require(who, "bulk", bulk)
        try:
            if move == "stop":
                operations.bulk.stop(who, bulk)
            else:
                pace = checked(BulkPace, {"per_minute": _number(request.state.form.get("per_minute", ""))})
                operations.bulk.start(who, bulk, pace.per_minute)
        except Problem as problem:
            if problem.code not in TELLING:
                raise
            return pages.one(request, bulk, "", problem)
        return _go(bulk)


def bulk_ask(form: Mapping[str, str]) -> BulkAsk:
    """The same request that `/ops/bulk` takes; Problem 422 names every wrong field."""
    wanted: dict[str, Any] = {name: form[name].strip() for name in FILTER if form.get(name, "").strip()}
    if form.get("action") in PARKED:
        wanted = {"service": wanted["service"]} if "service" in wanted else {}
    elif form.get("stuck") == "yes":
        wanted["stuck"] = True
    if "reference" in wanted:
        wanted["client_reference"] = wanted.pop("reference")
    asked: dict[str, Any] = {"action": form.get("action", ""), "reason": form.get("reason", ""), "filter": wanted}
    return checked(BulkAsk, {**asked, **moment_in(form)})


class _Pages:
    def __init__(self, shell: Shell, operations: Operations) -> None:
        self._shell = shell
        self._bulk = operations.bulk
        known = operations.reads.catalogue.by_reference
        self._choices = {
            "kind": KINDS,
            "status": STATUSES,
            "process": sorted(known),
            "step": list(dict.fromkeys(name for process in known.values() for name in process.names)),
            "service": ["shop_manager", *sorted({step.asks for process in known.values() for step in process.steps})],
        }

    def listed(self, request: Request, typed: Mapping[str, str], problem: Problem | None = None) -> Response:
        return self._shell.page(
            request,
            "bulk.html",
            problem.known.status if problem else 200,
            latest=self._bulk.latest(),
            actions=ACTIONS,
            choices=self._choices,
            typed={name: typed.get(name, "") for name in (*FILTER, "action", "stuck", "reason", "until")},
            wrong=problem.detail if problem else "",
            may_run=may(login_of(request), "admin"),
        )

    def one(self, request: Request, bulk: str, cursor: str, problem: Problem | None = None) -> Response:
        found = self._bulk.read(bulk, cursor=cursor or None)
        following = found["items"]["next_cursor"]
        return self._shell.page(
            request,
            "bulk_one.html",
            problem.known.status if problem else 200,
            bulk=found,
            name=ACTIONS[found["action"]],
            things=things(found),
            following=address(f"{PATH}/{bulk}", {"cursor": following}) if following else "",
            later=bool(cursor),
            wrong=problem.detail if problem else "",
            may_run=may(login_of(request), "admin"),
            live=f"/dashboard/live?of=bulk&id={quote(bulk, safe='')}",
        )

    def news(self, request: Request) -> str:
        """How far it is: figures with a fixed place. The list below stays as it is."""
        try:
            found = self._bulk.read(request.query_params.get("id", ""), limit=1)
        except Problem:
            return ""
        return partial("progress", ENVIRONMENT.get_template("bulk_progress.html").render(bulk=found))


def things(bulk: Mapping[str, Any]) -> str:
    """What it is about, and where one of them is shown."""
    return "parked" if bulk["action"] in PARKED else "clerks"


def _number(text: str) -> int | str:
    """A number as the JSON would have it; what is none stays as it was typed, and is refused."""
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _go(bulk: str) -> Response:
    return RedirectResponse(f"{PATH}/{quote(bulk, safe='')}", 303, HEADERS)

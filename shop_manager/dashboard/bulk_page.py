"""The pages of bulk acts: the preview with its frozen list, start with a pace, progress, stop, each outcome (O4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from http_api.conventions import Id
from http_api.problems import Problem
from shop_manager.dashboard.clerk_view import ACT_NAMES, IRREVERSIBLE
from shop_manager.dashboard.csrf import csrf_token
from shop_manager.dashboard.form_data import FormData
from shop_manager.dashboard.forms import principal_of, raise_unless_shown, until_in, validated
from shop_manager.dashboard.layout import ENVIRONMENT, HEADERS, Layout, login_of, may
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.not_yet import raise_if_not_yet, shows_its_form
from shop_manager.dashboard.query_parameters import KINDS, STATUSES, address
from shop_manager.operations.ages import TIMES
from shop_manager.operations.bulk import PARKED
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import BulkAction, BulkAsk, BulkPace

PATH = "/dashboard/bulk"
ACTIONS = {**{name: ACT_NAMES.get(name, name) for name in get_args(BulkAction)}, "replay": "Replay parked messages",
           "discard": "Discard parked messages"}  # fmt: skip
UNDER_WAY = ("running", "following")
FILTER = ("kind", "code", *TIMES, "status", "step", "process", "shop", "customer", "reference",
          "service", "parked_reason")  # fmt: skip


def bulk_pages(router: APIRouter, layout: Layout, live: LiveUpdates, operations: Operations) -> None:
    pages = BulkPages(layout, operations)
    live.pages["bulk"] = pages.updates

    @router.get("/bulk")
    def bulk_acts(request: Request) -> Response:
        given = request.query_params
        return pages.show_all(request, given or {"stuck": "yes"}, ids=ids_of_list(given.multi_items()))

    @router.post("/bulk")
    @shows_its_form
    def preview(request: Request) -> Response:
        return pages.preview(request)

    @router.get("/bulk/{bulk}")
    def bulk_act(bulk: Id, request: Request, cursor: Annotated[str, Query(max_length=1000)] = "") -> Response:
        return pages.show_one(request, bulk, cursor)

    @router.post("/bulk/{bulk}/{move}")
    @shows_its_form
    def start_or_stop(bulk: Id, move: Literal["start", "stop"], request: Request) -> Response:
        return pages.start(request, bulk) if move == "start" else pages.stop(request, bulk)


class BulkPages:
    def __init__(self, layout: Layout, operations: Operations) -> None:
        self._layout = layout
        self._bulk = operations.bulk
        known = operations.reads.registry.by_reference
        self._choices = {
            "kind": KINDS,
            "status": STATUSES,
            "process": sorted(known),
            "step": list(dict.fromkeys(name for process in known.values() for name in process.names)),
            "service": ["shop_manager", *sorted({step.asks for process in known.values() for step in process.steps})],
        }

    def show_all(
        self, request: Request, form: Mapping[str, str], problem: Problem | None = None, ids: Sequence[str] = ()
    ) -> Response:
        """The form for a new one, filled in from `form`, and the latest. `ids`: for these Clerks, and no filter."""
        nothing = "" if ids or "which" not in form else "Nothing is chosen: tick a box of the list first."
        return self._layout.page(
            request,
            "bulk.html",
            problem.known.status if problem else 200,
            latest=self._bulk.latest(),
            actions=ACTIONS,
            offered=[name for name in ACTIONS if not ids or name not in PARKED],
            choices=self._choices,
            typed={
                name: form.get(name, "")
                for name in (*FILTER, "action", "stuck", "mine", "reason", "until", "leave_claimed")
            },
            error=problem.detail if problem else nothing,
            ids=ids,
            may_run=may(login_of(request), "admin"),
        )

    def show_one(self, request: Request, bulk: str, cursor: str = "", problem: Problem | None = None) -> Response:
        found = self._bulk.read(bulk, cursor=cursor or None)
        following = found["items"]["next_cursor"]
        return self._layout.page(
            request,
            "bulk_one.html",
            problem.known.status if problem else 200,
            **_shown(found),
            following=address(f"{PATH}/{bulk}", {"cursor": following}) if following else "",
            later=bool(cursor),
            error=problem.detail if problem else "",
            may_run=may(login_of(request), "admin"),
            live=address("/dashboard/live", {"of": "bulk", "id": bulk, "cursor": cursor, "status": found["status"]}),
        )

    def preview(self, request: Request) -> Response:
        form: FormData = request.state.form
        who = principal_of(request)
        self._bulk.require(who, "bulk_preview", "new")
        try:
            raise_if_not_yet(request)
            found = self._bulk.preview(who, bulk_request(form, self._layout.now()))
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show_all(request, form, problem, form.all_of("id"))
        return _to_page_of(found["id"])

    def start(self, request: Request, bulk: str) -> Response:
        who = principal_of(request)
        self._bulk.require(who, "bulk", bulk)
        try:
            raise_if_not_yet(request)
            pace = validated(BulkPace, {"per_minute": _number(request.state.form.get("per_minute", ""))})
            self._bulk.start(who, bulk, pace.per_minute)
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show_one(request, bulk, problem=problem)
        return _to_page_of(bulk)

    def stop(self, request: Request, bulk: str) -> Response:
        who = principal_of(request)
        self._bulk.require(who, "bulk", bulk)
        try:
            raise_if_not_yet(request)
            self._bulk.stop(who, bulk)
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show_one(request, bulk, problem=problem)
        return _to_page_of(bulk)

    def updates(self, request: Request) -> str:
        """The progress, what can be done now, and the list; while nothing goes on, what is being typed in stays."""
        given, login = request.query_params, login_of(request)
        try:
            found = self._bulk.read(given.get("id", ""), cursor=given.get("cursor") or None)
        except Problem:
            return ""
        context = {
            **_shown(found),
            "now": self._layout.now(),
            "csrf": csrf_token(login.token),
            "may_run": may(login, "admin"),
        }
        at_rest = found["status"] not in UNDER_WAY and found["status"] == given.get("status")
        parts = ("progress",) if at_rest else ("progress", "controls", "items")
        return "".join(partial(each, ENVIRONMENT.get_template(f"bulk_{each}.html").render(context)) for each in parts)


def ids_of_list(given: Sequence[tuple[str, str]]) -> list[str]:
    """The Clerks that were chosen on the list: those that are ticked, or all of its page."""
    if ("which", "page") in given:
        return [name for key, ids in given if key == "page" for name in ids.split(",") if name]
    return [name for key, name in given if key == "id"]


def bulk_request(form: FormData, now: int) -> BulkAsk:
    """The same request that `/ops/bulk` takes; Problem 422 names every wrong field."""
    said: dict[str, Any] = {"action": form.get("action", ""), "reason": form.get("reason", ""), **until_in(form, now)}
    if form.get("leave_claimed"):
        said["leave_claimed"] = True
    if ids := form.all_of("id"):
        return validated(BulkAsk, {**said, "ids": ids})
    wanted: dict[str, Any] = {name: form[name].strip() for name in FILTER if form.get(name, "").strip()}
    if form.get("action") in PARKED:
        wanted = {name: wanted[name] for name in ("service", "parked_reason") if name in wanted}
    else:
        wanted |= {name: True for name in ("stuck", "mine") if form.get(name) == "yes"}
    if "reference" in wanted:
        wanted["client_reference"] = wanted.pop("reference")
    return validated(BulkAsk, {**said, "filter": wanted})


def _shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the page and its updates know of a bulk act. `allowed`: of how many the act was not refused at once."""
    action = found["action"]
    return {
        "bulk": found,
        "name": ACTIONS[action],
        "targets": "parked" if action in PARKED else "clerks",
        "irreversible": action in IRREVERSIBLE or action == "discard",
        "allowed": found["count"] - found["progress"]["not_allowed"],
    }


def _number(text: str) -> int | str:
    """A number as JSON would have it; any other text stays as it is, and the request model refuses it."""
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _to_page_of(bulk: str) -> Response:
    return RedirectResponse(f"{PATH}/{quote(bulk, safe='')}", 303, HEADERS)

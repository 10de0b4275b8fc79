"""The page of runbooks: for each service and cause a link to what to do and who is responsible, set by operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from http_api.answers import ServiceName
from http_api.problems import Problem
from shop_manager.dashboard.forms import principal_of, raise_unless_shown, validated
from shop_manager.dashboard.layout import HEADERS, Layout, login_of, may
from shop_manager.dashboard.not_yet import raise_if_not_yet, shows_its_form
from shop_manager.operations.facade import Operations
from shop_manager.operations.runbooks import CAUSE, KEYS, RunbookAsk

PATH = "/dashboard/runbooks"
FIELDS = (*KEYS, "link", "responsible")
SERVICES: tuple[str, ...] = get_args(ServiceName)


def runbooks_page(router: APIRouter, layout: Layout, operations: Operations) -> None:
    page = RunbooksPage(layout, operations)

    @router.get("/runbooks")
    def runbooks(request: Request) -> Response:
        return page.show(request, request.query_params)

    @router.post("/runbooks")
    @shows_its_form
    def save(request: Request) -> Response:
        return page.save(request)


class RunbooksPage:
    def __init__(self, layout: Layout, operations: Operations) -> None:
        self._layout = layout
        self._runbooks = operations.runbooks

    def show(self, request: Request, given: Mapping[str, str], problem: Problem | None = None) -> Response:
        """All of them, and a form for what the address names: a service, or a cause with its four parts."""
        found = self._runbooks.all()["data"]
        about = {name: given.get(name, "")[:200] for name in KEYS}
        named = bool(about["service"]) != all(about[name] for name in CAUSE)
        return self._layout.page(
            request,
            "runbooks.html",
            problem.known.status if problem else 200,
            runbooks=found,
            services=[_of_service(found, service) for service in SERVICES],
            about=about if named else None,
            typed=_typed(found, about, given if problem else {}),
            may_save=may(login_of(request), "operator"),
            error=problem.detail if problem else "",
        )

    def save(self, request: Request) -> Response:
        form, who = request.state.form, principal_of(request)
        self._runbooks.require(who)
        try:
            raise_if_not_yet(request)
            fields = {name: form[name].strip() for name in FIELDS if form.get(name, "").strip()}
            self._runbooks.save(who, validated(RunbookAsk, {**fields, "reason": form.get("reason", "")}))
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show(request, form, problem)
        return RedirectResponse(PATH, 303, HEADERS)


def _of_service(found: list[dict[str, Any]], service: str) -> dict[str, Any]:
    nothing = {"service": service, "link": None, "responsible": None}
    return next((each for each in found if each["service"] == service), nothing)


def _typed(found: list[dict[str, Any]], about: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """What stands in the form: as it was typed, else as it is set."""
    same = (each for each in found if all((each[name] or "") == about[name] for name in KEYS))
    known = next(same, {})
    return {name: form.get(name, "") or known.get(name) or "" for name in ("link", "responsible", "reason")}

"""Errors as pages: what happened, what it means, and where to go on. Whoever is not logged in is led to the login."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import Scope

from doors.problems import Problem
from doors.request import scope_request_id
from shop_manager.dashboard.entrance import PATH, inside
from shop_manager.dashboard.shell import HEADERS, listens, render


def problem_page(problem: Problem, scope: Scope) -> Response:
    """The answer below `/dashboard` when something is refused or broken."""
    request = Request(scope)
    if problem.code == "unauthorized":
        return _to_login(request)
    answer = render(
        request,
        "problem.html",
        problem.known.status,
        problem=problem,
        request_id=scope_request_id(scope),
        back=_came_from(request) if request.method != "GET" else None,
    )
    for name, value in problem.headers.items():
        answer.headers[name] = value
    return answer


def _to_login(request: Request) -> Response:
    page = _here(request) if request.method in ("GET", "HEAD") else _came_from(request)
    target = PATH if page in (None, "/dashboard") else f"{PATH}?next={quote(page or '', safe='/')}"
    if request.headers.get("hx-request") or listens(request):
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": target})
    return RedirectResponse(target, 303, HEADERS)


def _here(request: Request) -> str:
    return inside(request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def _came_from(request: Request) -> str | None:
    """The page whose form it was."""
    parts = urlsplit(request.headers.get("referer", ""))
    return inside(parts.path + (f"?{parts.query}" if parts.query else "")) if parts.path else None

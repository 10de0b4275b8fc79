"""Errors as pages: what happened, what it means, and where to go on. Who is not logged in is led to the login page."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import Scope

from http_api.problems import Problem
from http_api.public_address import public_address
from http_api.request import scope_request_id
from shop_manager.dashboard.layout import CHANGE_PATH, HEADERS, is_event_stream, render
from shop_manager.dashboard.login_pages import PATH, safe_return_path


def problem_page(problem: Problem, scope: Scope) -> Response:
    """The response below `/dashboard` when a request is refused or something is broken."""
    request = Request(scope)
    if problem.code == "unauthorized":
        return _to_login(request)
    if problem.code == "password_change_required":
        return _lead(request, CHANGE_PATH)
    page = render(
        request,
        "problem.html",
        problem.known.status,
        problem=problem,
        request_id=scope_request_id(scope),
        back=_referring_page(request) if request.method != "GET" else None,
    )
    for name, value in problem.headers.items():
        page.headers[name] = value
    return page


def _to_login(request: Request) -> Response:
    page = _current_page(request) if request.method in ("GET", "HEAD") else _referring_page(request)
    target = PATH if page in (None, "/dashboard") else f"{PATH}?next={quote(page or '', safe='/')}"
    return _lead(request, target)


def _lead(request: Request, target: str) -> Response:
    if request.headers.get("hx-request") or is_event_stream(request):
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": target})
    return RedirectResponse(target, 303, HEADERS)


def _current_page(request: Request) -> str:
    return safe_return_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def _referring_page(request: Request) -> str | None:
    """The page whose form was sent; None when the browser does not say it, or what it says is no address."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    path = public_address(request.scope).own_path(parts.path)
    return safe_return_path(path + (f"?{parts.query}" if parts.query else "")) if parts.path else None

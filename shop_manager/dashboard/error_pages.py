"""Errors as pages: what happened, what it means, and where to go on. Who is not logged in is led to the login page."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import Scope

from http_api.problems import Problem
from http_api.request import scope_request_id
from shop_manager.dashboard.layout import CHANGE_PATH, HEADERS, is_event_stream, put_login, render
from shop_manager.dashboard.login_pages import login_page
from shop_manager.dashboard.not_yet import NAME, held_act, is_login, kept_fields, why_not_yet
from shop_manager.dashboard.password_page import password_form
from shop_manager.dashboard.return_paths import HOME, login_address, page_of, referring_page


def problem_page(problem: Problem, scope: Scope) -> Response:
    """The response below `/dashboard` when a request is refused or something is broken."""
    request = Request(scope)
    if _holds_an_act(request, problem):
        form = request.state.form
        name, error = form.get(NAME, ""), problem.detail if is_login(form) else ""
        target, provider = page_of(request) or HOME, request.state.has_provider
        return login_page(request, target, name, error, 401, provider=provider)
    if problem.code == "not_allowed_now" and why_not_yet(request):
        return _send_again(request, problem)
    if problem.code == "unauthorized":
        return _lead(request, login_address(page_of(request)))
    if problem.code == "password_change_required":
        return _password_first(request, problem)
    page = render(
        request,
        "problem.html",
        problem.known.status,
        problem=problem,
        request_id=scope_request_id(scope),
        back=referring_page(request) if request.method != "GET" else None,
    )
    for name, value in problem.headers.items():
        page.headers[name] = value
    return page


def _send_again(request: Request, problem: Problem) -> Response:
    """What was sent, with a button that sends it from now: for forms whose page cannot show it."""
    page = render(
        request,
        "send_again.html",
        problem.known.status,
        action=quote(request.url.path),
        fields=kept_fields(request.state.form),
        why=problem.detail,
        back=referring_page(request) or HOME,
    )
    if getattr(request.state, "just_logged_in", False):
        put_login(request, page, request.state.login, request.state.logins)
    return page


def _password_first(request: Request, problem: Problem) -> Response:
    """To the page of the password. An act that was sent is held there, and not done."""
    held = held_act(request)
    if held is None:
        return _lead(request, CHANGE_PATH)
    page = password_form(request, problem.known.status, held=held.text)
    if getattr(request.state, "just_logged_in", False):
        put_login(request, page, request.state.login, request.state.logins)
    return page


def _holds_an_act(request: Request, problem: Problem) -> bool:
    """Was an act sent without a login, or is the login that holds it refused?"""
    form = getattr(request.state, "form", None)
    if not form or held_act(request) is None or getattr(request.state, "login", None) is not None:
        return False
    return problem.code == "unauthorized" or (problem.code == "too_many_requests" and is_login(form))


def _lead(request: Request, target: str) -> Response:
    """An open page that listens is told only, and stays where it is: it may hold what somebody has typed."""
    if is_event_stream(request):
        return Response(status_code=401, headers=HEADERS)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": target})
    return RedirectResponse(target, 303, HEADERS)

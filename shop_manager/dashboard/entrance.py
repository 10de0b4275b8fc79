"""Coming and going: the login page, logging in, logging out (security S2, S8)."""

from __future__ import annotations

import re

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from doors.request import address
from shop_manager.dashboard.cookies import LOGIN, VISIT, drop_cookie, new_secret, put_cookie, read_cookie
from shop_manager.dashboard.logins import Login
from shop_manager.dashboard.shell import HEADERS, Shell, render
from shop_manager.dashboard.throttle import Throttle
from shop_manager.dashboard.writes import check_write, csrf_token, read_form

HOME = "/dashboard"
PATH = "/dashboard/login"
_WRONG = "Name or password is wrong."
_INSIDE = re.compile(r"/dashboard(?:[/?][!-\[\]-~]*)?")
_DOORS = (PATH, "/dashboard/logout")


def entrance_router(shell: Shell, throttle: Throttle) -> APIRouter:
    router = APIRouter(include_in_schema=False, dependencies=[Depends(read_form)])

    @router.get(PATH)
    def form(request: Request) -> Response:
        token = read_cookie(request, LOGIN)
        going_to = inside(request.query_params.get("next"))
        if token and shell.logins.find(token):
            return _go(going_to)
        return _form(request, going_to)

    @router.post(PATH)
    def enter(request: Request) -> Response:
        given = request.state.form
        check_write(request, given, read_cookie(request, VISIT) or "")
        name, password, going_to = given.get("name", "").strip(), given.get("password", ""), inside(given.get("next"))
        wait = throttle.take(name, address(request.scope))
        if wait:
            answer = _form(request, going_to, name, f"Too many tries. Wait {wait} s, then try again.", 429)
            answer.headers["Retry-After"] = str(wait)
            return answer
        login = shell.logins.begin(name, password, read_cookie(request, LOGIN))
        if login is None:
            return _form(request, going_to, name, _WRONG, 401)
        throttle.succeeded(name, address(request.scope))
        return _welcome(request, login, going_to, shell.logins.span.most // 1000)

    @router.post("/dashboard/logout")
    def leave(request: Request) -> Response:
        token, answer = read_cookie(request, LOGIN), _go(PATH)
        if token is not None:  # else it may be another page's form, sent without our cookie: nothing may be dropped
            check_write(request, request.state.form, token)
            shell.logins.end(token)
            drop_cookie(request, answer, LOGIN)
        return answer

    return router


def inside(path: str | None) -> str:
    """Where to go after the login: a page of the dashboard and nowhere else."""
    if path is None or not _INSIDE.fullmatch(path) or path.partition("?")[0] in _DOORS:
        return HOME
    return path


def _form(request: Request, going_to: str, name: str = "", wrong: str = "", status: int = 200) -> Response:
    visit = read_cookie(request, VISIT) or new_secret()
    answer = render(
        request, "login.html", status, going_to=going_to, name=name[:128], wrong=wrong, csrf=csrf_token(visit)
    )
    put_cookie(request, answer, VISIT, visit)
    return answer


def _welcome(request: Request, login: Login, going_to: str, seconds: int) -> Response:
    answer = _go(going_to)
    put_cookie(request, answer, LOGIN, login.token, seconds)
    drop_cookie(request, answer, VISIT)
    return answer


def _go(path: str) -> Response:
    return RedirectResponse(path, 303, HEADERS)

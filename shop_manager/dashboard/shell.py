"""What all pages share: who is looking, the look around the page, and the headers that keep it ours (S8, S10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from doors.callers import Caller, has_role
from doors.keys import Role
from doors.problems import Problem
from messaging.database import Database
from shop_manager.dashboard import shown
from shop_manager.dashboard.asked import address
from shop_manager.dashboard.assets import asset
from shop_manager.dashboard.cookies import LOGIN, read_cookie
from shop_manager.dashboard.logins import Login, Logins
from shop_manager.dashboard.words import word
from shop_manager.dashboard.writes import check_write, csrf_token

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers send `Origin: null` with our own forms
}
"""Beside those that the Frame sets on every answer: nosniff and no-store."""


class Place(NamedTuple):
    """A line of the navigation; `role` is needed to see it."""

    name: str
    path: str
    role: Role = "viewer"


PLACES = (
    Place("Home", "/dashboard"),
    Place("Clerks", "/dashboard/clerks"),
    Place("Parked", "/dashboard/parked"),
    Place("Processes", "/dashboard/processes"),
    Place("Figures", "/dashboard/figures"),
    Place("Bulk", "/dashboard/bulk"),
    Place("Audit", "/dashboard/audit"),
    Place("Checks", "/dashboard/checks"),
    Place("People", "/dashboard/people", "admin"),
    Place("Help", "/dashboard/help"),
)


class Shell:
    """Around every page. `pulse` reads what stands above all of them: whether anything is stuck (live.py)."""

    def __init__(self, logins: Logins, database: Database, pulse: Callable[[], Mapping[str, Any]]) -> None:
        self.logins = logins
        self.database = database
        self._pulse = pulse

    def enter(self, request: Request) -> None:
        """The dependency of every page: puts who is logged in at `request.state.login`, and checks every write.

        Problem 401 leads to the login page.
        """
        token = read_cookie(request, LOGIN)
        login = self.logins.find(token, used=not listens(request)) if token else None
        if login is None:
            raise Problem("unauthorized")
        request.state.login = login
        if request.method not in ("GET", "HEAD"):
            check_write(request, request.state.form, login.token)

    def needs(self, role: Role) -> Callable[[Request], None]:
        """A dependency of one route: Problem 403 for everybody below this role."""

        def required(request: Request) -> None:
            if not may(login_of(request), role):
                raise Problem("forbidden", f"This needs the role {role}.")

        return required

    def now(self) -> int:
        with self.database.read() as tx:
            return tx.now()

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """The template as a whole page: it sees `login`, `csrf`, `now` (ms), `path`, `pulse` and what is given."""
        return render(request, template, status, **{"now": self.now(), "pulse": self._pulse(), **context})


def login_of(request: Request) -> Login:
    """Who is logged in, once `enter` has looked."""
    login: Login = request.state.login
    return login


def may(login: Login, role: Role) -> bool:
    """Has the operator this role, or one that may do more?"""
    return has_role(Caller("operator", login.role, login.operator), role)


def listens(request: Request) -> bool:
    """Is it a page that waits for news by itself, and nobody's hand?"""
    return "text/event-stream" in request.headers.get("accept", "")


def render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """A template as an answer, whoever is looking."""
    login: Login | None = getattr(request.state, "login", None)
    around = {
        "login": login,
        "csrf": csrf_token(login.token) if login else None,
        "places": [place for place in PLACES if login and may(login, place.role)],
        "path": request.url.path,
        "pulse": None,
        "live": "/dashboard/live",
    }
    text = ENVIRONMENT.get_template(template).render({**around, **context})
    return Response(text, status, {**HEADERS, "Content-Type": "text/html; charset=utf-8"})


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("shop_manager.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown.plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset, "address": address, "word": word, "may": may}
    environment.filters |= {
        name: getattr(shown, name)
        for name in ("money", "moneys", "wire", "absolute", "clock", "relative", "duration", "plain", "breakable")
    }
    return environment


ENVIRONMENT = _environment()

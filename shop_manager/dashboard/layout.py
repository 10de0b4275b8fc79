"""What all pages share: the login they need, the frame of HTML around them, and their security headers (S8, S10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from domain.public_url import PublicAddress
from http_api.keys import Role
from http_api.principals import has_role
from http_api.problems import Problem
from http_api.public_address import public_address
from messaging.database import Database
from shop_manager.dashboard import formatting
from shop_manager.dashboard.assets import asset
from shop_manager.dashboard.cookies import DONE, LOGIN, VISIT, drop_cookie, put_cookie, read_cookie
from shop_manager.dashboard.csrf import csrf_token, is_of_earlier_login
from shop_manager.dashboard.labels import label_of
from shop_manager.dashboard.logins import Login, Logins
from shop_manager.dashboard.navigation import NAVIGATION
from shop_manager.dashboard.not_yet import (
    LOOK_FIRST,
    NAME,
    NOT_YET,
    OLD_FORM,
    OLD_LOGIN_PAGE,
    PASSWORD,
    is_held,
    is_login,
)
from shop_manager.dashboard.query_parameters import address
from shop_manager.dashboard.return_paths import login_address, page_of
from shop_manager.operations.clocks import Clocks
from shop_manager.operations.mentions import Mentions

_LEADS = re.compile(r'(?<=\s)(href|src|action|formaction|hx-[\w:-]+)="/(?!/)')
DONE_WITHIN = 60
"""Seconds within which the page after an act says what was done."""
CHANGE_PATH = "/dashboard/password"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers send `Origin: null` with our own forms
}
"""Beside those that the RequestContextMiddleware sets on every response: nosniff and no-store."""


class Layout:
    """Renders pages for whoever is logged in. `read_banner` reads what the status banner shows (status_banner.py)."""

    def __init__(
        self,
        logins: Logins,
        database: Database,
        read_banner: Callable[[], Mapping[str, Any]],
        clocks: Clocks,
        mentions: Mentions,
    ) -> None:
        self.logins = logins
        self.database = database
        self._read_banner = read_banner
        self._clocks = clocks
        self._mentions = mentions
        self.log_in: Callable[[Request, str, str], Login] = _nobody
        """Logs somebody in by name and password, or raises Problem; LoginPages brings it."""

    def require_login(self, request: Request) -> None:
        """The dependency of every page: puts who is logged in at `request.state.login`, and checks every write.

        Problem 401 leads to the login page, `password_change_required` to the page that changes the password.
        """
        request.state.has_provider = bool(self.logins.provider)
        token = read_cookie(request, LOGIN)
        login = self.logins.find(token, used=not is_event_stream(request)) if token else None
        writes = request.method not in ("GET", "HEAD")
        if login is None and writes and is_held(request.scope["path"]) and is_login(request.state.form):
            login = self._log_in_where_an_act_was_sent(request)
        elif login is not None and writes:
            _check_form(request, login)
        if login is None:
            raise Problem("unauthorized")
        request.state.login = login
        if login.must_change and request.scope["path"] != CHANGE_PATH:
            raise Problem("password_change_required")

    def _log_in_where_an_act_was_sent(self, request: Request) -> Login:
        """Whoever is logged in by the page that holds an act. Problem 401 says why nobody is."""
        form = request.state.form
        if is_of_earlier_login(request, form, read_cookie(request, VISIT)):
            raise Problem("unauthorized", OLD_LOGIN_PAGE)
        login = self.log_in(request, form.get(NAME, "").strip(), form.get(PASSWORD, ""))
        request.state.just_logged_in, request.state.logins, request.state.not_yet = True, self.logins, NOT_YET
        return login

    def now(self) -> int:
        """The database's time, in ms."""
        with self.database.read() as tx:
            return tx.now()

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """A template as a whole page; it sees `login`, `csrf`, `now` (ms), `path`, `banner`, `clock`, `context`, and
        as `named` how many unseen notes name whoever looks.
        """
        with self.database.one_moment():
            banner = context.pop("banner", None) or self._read_banner()
            now = context.pop("now", None) or banner["checked_at"]
            who = login_of(request).principal
            clock, named = self._clocks.of(who), self._mentions.unseen(who)
        page = render(request, template, status, now=now, banner=banner, clock=clock, named=named, **context)
        if done_before(request):
            drop_cookie(request, page, DONE)
        if getattr(request.state, "just_logged_in", False):
            put_login(request, page, login_of(request), self.logins)
        return page


def _check_form(request: Request, login: Login) -> None:
    """Problem 403 for a form that was sent from no page of ours. One of an earlier login is shown again."""
    form = request.state.form
    if is_of_earlier_login(request, form, login.token):
        request.state.not_yet = OLD_FORM
    elif LOOK_FIRST in form:
        request.state.not_yet = NOT_YET


def _nobody(request: Request, name: str, password: str) -> Login:
    raise Problem("unauthorized")


def put_login(request: Request, response: Response, login: Login, logins: Logins) -> None:
    """The cookie of a new login, in the place of the visitor's."""
    put_cookie(request, response, LOGIN, login.token, logins.lifetime_of(login).longest // 1000)
    drop_cookie(request, response, VISIT)


def lead_on(request: Request, path: str, done: str) -> Response:
    """To the page that says what was `done` (a word): once, and not again when it is reloaded."""
    response = RedirectResponse(path, 303, HEADERS)
    put_cookie(request, response, DONE, done, DONE_WITHIN)
    return response


def done_before(request: Request) -> str:
    """The word of `lead_on`, `""` when there is none. `Layout.page` forgets it."""
    return read_cookie(request, DONE) or ""


def login_of(request: Request) -> Login:
    """Who is logged in, once `require_login` has looked."""
    login: Login = request.state.login
    return login


def may(login: Login, role: Role) -> bool:
    """Has the operator this role, or one that may do more?"""
    return has_role(login.principal, role)


def is_event_stream(request: Request) -> bool:
    """Is it sent by an open page that listens for updates, and not by a person?"""
    return "text/event-stream" in request.headers.get("accept", "")


def render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """A template as a response, also for who is not logged in."""
    login: Login | None = getattr(request.state, "login", None)
    shared = {
        "login": login,
        "csrf": csrf_token(login.token) if login else None,
        "navigation": [item for item in NAVIGATION if login and not login.must_change and may(login, item.role)],
        "path": request.url.path,
        "banner": None,
        "named": 0,
        "clock": "utc",
        "live": "/dashboard/live",
        "login_again": login_address(page_of(request)),
    }
    text = ENVIRONMENT.get_template(template).render({**shared, **context})
    text = with_prefix(text, public_address(request.scope))
    return Response(text, status, {**HEADERS, "Content-Type": "text/html; charset=utf-8"})


def with_prefix(html: str, public: PublicAddress) -> str:
    """The same HTML, in which links and forms lead to the paths that the outside asks for.

    Only a template can write such an attribute: in all that comes from elsewhere the quotes are escaped.
    """
    return _LEADS.sub(lambda found: f'{found.group(1)}="{public.path("/")}', html) if public.prefix else html


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("shop_manager.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=formatting.plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset, "address": address, "label_of": label_of, "may": may}
    environment.filters |= {
        name: getattr(formatting, name)
        for name in (
            "money",
            "moneys",
            "wire",
            "absolute",
            "clock",
            "relative",
            "duration",
            "breakable",
            "with_times",
            "typable",
        )
    }
    return environment


ENVIRONMENT = _environment()

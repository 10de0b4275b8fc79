"""The login page, logging in and logging out (security S2, S8)."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from http_api.openid_options import CALLBACK
from http_api.operators import PasswordTry
from http_api.problems import Problem
from http_api.request import address_prefix, origin
from http_api.routes import Routes
from shop_manager.dashboard.cookies import LOGIN, VISIT, drop_cookie, new_secret, put_cookie, read_cookie
from shop_manager.dashboard.csrf import csrf_token, is_of_earlier_login
from shop_manager.dashboard.form_data import read_form
from shop_manager.dashboard.layout import CHANGE_PATH, HEADERS, Layout, put_login, render
from shop_manager.dashboard.login_throttle import LoginThrottle
from shop_manager.dashboard.logins import Login
from shop_manager.dashboard.not_yet import OLD_LOGIN_PAGE, HeldAct, held_act
from shop_manager.dashboard.return_paths import LOGIN_PATH, LOGOUT_PATH, safe_return_path
from shop_manager.operations.login_audit import LoginAudit, Refusal

_WRONG = "Name or password is wrong."


def login_router(pages: LoginPages) -> APIRouter:
    router = Routes(include_in_schema=False, dependencies=[Depends(read_form)])
    router.add_api_route(LOGIN_PATH, pages.show, methods=["GET"])
    router.add_api_route(LOGIN_PATH, pages.log_in, methods=["POST"])
    router.add_api_route(LOGOUT_PATH, pages.log_out, methods=["POST"])
    router.add_api_route(LOGOUT_PATH, lambda: redirect(LOGIN_PATH), methods=["GET"])
    return router


class LoginPages:
    """Each method is the endpoint of one route."""

    def __init__(self, layout: Layout, throttle: LoginThrottle, audit: LoginAudit) -> None:
        self._logins = layout.logins
        self._throttle = throttle
        self._audit = audit
        layout.log_in = self.by_password

    def show(self, request: Request) -> Response:
        token = read_cookie(request, LOGIN)
        target = safe_return_path(request.query_params.get("next"))
        if token and self._logins.find(token):
            return redirect(target)
        return self._page(request, target)

    def log_in(self, request: Request) -> Response:
        form = request.state.form
        name, target = form.get("name", "").strip(), safe_return_path(form.get("next"))
        if is_of_earlier_login(request, form, read_cookie(request, VISIT)):
            return self._once_more(request, target, name)
        try:
            login = self.by_password(request, name, form.get("password", ""))
        except Problem as problem:
            page = self._page(request, target, name, problem.detail, problem.known.status)
            if "Retry-After" in problem.headers:
                page.headers["Retry-After"] = problem.headers["Retry-After"]
            return page
        response = redirect(CHANGE_PATH if login.must_change else target)
        put_login(request, response, login, self._logins)
        return response

    def _once_more(self, request: Request, target: str, name: str) -> Response:
        """For a login page that was open while somebody logged in on another one, or for too long."""
        token = read_cookie(request, LOGIN)
        if token and self._logins.find(token):
            return redirect(target)
        return self._page(request, target, name, OLD_LOGIN_PAGE, 401)

    def by_password(self, request: Request, name: str, password: str) -> Login:
        """A new login. Problem `unauthorized` for a wrong name or password, `too_many_requests` for too many tries."""
        wait = self._throttle.take(name, origin(request.scope))
        if wait:
            self._audit.throttled(Refusal(None, "too_many_requests", "tried too often"))
            why = f"Too many tries. Wait {wait} s, then try again."
            raise Problem("too_many_requests", why, headers={"Retry-After": str(wait)})
        tried = self._logins.operators.try_password(name, password)
        if tried.operator is None:
            self._audit.refused(_refusal(tried), address_prefix(request.scope))
            raise Problem("unauthorized", _WRONG)
        self._throttle.succeeded(name, origin(request.scope))
        login = self._logins.begin(tried.operator, read_cookie(request, LOGIN))
        self._audit.done(login.principal, "login", address_prefix(request.scope))
        return login

    def _page(self, request: Request, target: str, name: str = "", error: str = "", status: int = 200) -> Response:
        return login_page(request, target, name, error, status, provider=bool(self._logins.provider))

    def log_out(self, request: Request) -> Response:
        token, response = read_cookie(request, LOGIN), redirect(LOGIN_PATH)
        if token is not None:  # else it may be another page's form, sent without our cookie: nothing may be dropped
            is_of_earlier_login(request, request.state.form, token)  # it ends all the same, if the form is ours
            login = self._logins.find(token, used=False)
            self._logins.end(token)
            if login is not None:
                self._audit.done(login.principal, "logout", address_prefix(request.scope))
            drop_cookie(request, response, LOGIN)
        return response


def _refusal(tried: PasswordTry) -> Refusal:
    why = "unknown name" if tried.known_as is None else "disabled" if tried.disabled else "wrong password"
    return Refusal(tried.known_as, "unauthorized", why)


def login_page(
    request: Request, target: str, name: str = "", error: str = "", status: int = 200, *, provider: bool = False,
    held: HeldAct | None = None,
) -> Response:  # fmt: skip
    """`provider`: with the way to the OpenID provider. Where an act was sent without a login it holds the act.

    `held`: that of somebody who comes back from the provider without a login.
    """
    visit = read_cookie(request, VISIT) or new_secret()
    page = render(
        request,
        "login.html",
        status,
        return_path=target,
        name=name[:128],
        error=error,
        held=held or held_act(request),
        csrf=csrf_token(visit),
        provider=f"{CALLBACK.removesuffix('/callback')}?{urlencode({'next': target})}" if provider else "",
    )
    put_cookie(request, page, VISIT, visit)
    return page


def held_page(request: Request, login: Login, held: HeldAct) -> Response:
    """Leads whoever has just logged in to the form of an act that was not done, with all that was typed."""
    request.state.login = login
    return render(request, "held.html", held=held)


def redirect(path: str) -> Response:
    return RedirectResponse(path, 303, HEADERS)

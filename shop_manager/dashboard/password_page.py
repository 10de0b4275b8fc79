"""The page on which operators change their own password; the first login leads here (security S2)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from http_api.operators import Operator, hash_of
from http_api.password_rules import SHORTEST, why_not
from http_api.problems import not_found
from http_api.request import address_prefix, origin
from shop_manager.dashboard.layout import CHANGE_PATH, Layout, done_before, lead_on, login_of, put_login, render
from shop_manager.dashboard.login_pages import held_page, redirect
from shop_manager.dashboard.login_throttle import LoginThrottle
from shop_manager.dashboard.logins import Login
from shop_manager.dashboard.not_yet import HELD, held_in, shows_its_form, why_not_yet
from shop_manager.dashboard.return_paths import HOME
from shop_manager.operations.login_audit import LoginAudit, Refusal

_CHANGED_MEANWHILE = "Your account was changed meanwhile: log in again."


def password_page(router: APIRouter, layout: Layout, throttle: LoginThrottle, audit: LoginAudit) -> None:
    page = PasswordPage(layout, throttle, audit)
    path = CHANGE_PATH.removeprefix(HOME)
    router.add_api_route(path, page.show, methods=["GET"])
    router.add_api_route(path, page.change, methods=["POST"])


class PasswordPage:
    """Each method is the endpoint of one route."""

    def __init__(self, layout: Layout, throttle: LoginThrottle, audit: LoginAudit) -> None:
        self._layout = layout
        self._logins = layout.logins
        self._throttle = throttle
        self._audit = audit

    def show(self, request: Request) -> Response:
        _with_password(request)
        return self._page(request, done=done_before(request) == "password")

    @shows_its_form
    def change(self, request: Request) -> Response:
        """A new password, and with it a new login here, while all others of the person end."""
        login, form = _with_password(request), request.state.form
        old, new = form.get("old", ""), form.get("new", "")
        if why := why_not_yet(request):
            return self._page(request, 409, error=f"Nothing was done. {why}")
        wrong = self._wrong_new(login, old, new, form.get("again", ""))
        if wrong:
            return self._page(request, 422, error=wrong)
        wait = self._throttle.take(login.operator, origin(request.scope))
        if wait:
            self._audit.throttled(Refusal(login.operator, "too_many_requests", "tried too often", "password"))
            return self._page(request, 429, error=f"Too many tries. Wait {wait} s, then try again.")
        operator = self._logins.operators.check_password(login.operator, old)
        if operator is None:
            refusal = Refusal(login.operator, "unauthorized", "wrong old password", "password")
            self._audit.refused(refusal, address_prefix(request.scope))
            return self._page(request, 422, error="The password until now is wrong.")
        self._throttle.succeeded(login.operator, origin(request.scope))
        return self._changed(request, login, operator, hash_of(new))

    def _wrong_new(self, login: Login, old: str, new: str, again: str) -> str:
        if new != again:
            return "The two new passwords are not the same."
        if new == old:
            return "The new password is the one until now."
        why = why_not(new, login.operator)
        return f"The new password cannot be taken: {why}." if why else ""

    def _changed(self, request: Request, login: Login, operator: Operator, hashed: str) -> Response:
        prefix = address_prefix(request.scope)
        begun = self._logins.change_password(
            operator, hashed, lambda tx: self._audit.done_within(tx, login.principal, "password", prefix)
        )
        if begun is None:
            return self._page(request, 409, error=_CHANGED_MEANWHILE)
        request.app.state.keys.forget(operator.key_id)  # it waited for this, and works now
        held = held_in(request.state.form.get(HELD))
        if login.must_change:
            response = held_page(request, begun, held) if held else redirect(HOME)
        else:
            response = lead_on(request, CHANGE_PATH, "password")
        put_login(request, response, begun, self._logins)
        return response

    def _page(self, request: Request, status: int = 200, *, error: str = "", done: bool = False) -> Response:
        if login_of(request).must_change:
            held = held_in(request.state.form.get(HELD))
            return password_form(request, status, error=error, held=held.text if held else "")
        context = {"error": error, "done": done, "shortest": SHORTEST, "held": ""}
        return self._layout.page(request, "password.html", status, **context)


def password_form(request: Request, status: int, *, error: str = "", held: str = "") -> Response:
    """The page for who has to choose another password first. `held`: an act that comes back after it, as a text."""
    return render(request, "password.html", status, error=error, done=False, shortest=SHORTEST, held=held)


def _with_password(request: Request) -> Login:
    """Who is logged in; Problem 404 for somebody whose password is none of ours."""
    login = login_of(request)
    if login.of_provider:
        raise not_found()
    return login

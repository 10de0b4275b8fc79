"""Logging in at an OpenID provider: out to it with a link of the login page, and back again (security S2, S8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from fastapi import Request, Response

from http_api.openid_options import CALLBACK, NotVouchedFor, ProviderUnavailable, VouchedFor
from http_api.principals import stable_part
from http_api.problems import Problem, not_found
from http_api.request import address_prefix, origin
from shop_manager.dashboard.cookies import LOGIN, PROVIDER, VISIT, drop_cookie, put_cookie, read_cookie
from shop_manager.dashboard.csrf import is_of_earlier_login
from shop_manager.dashboard.layout import Layout, put_login, render
from shop_manager.dashboard.login_pages import held_page, login_page, redirect
from shop_manager.dashboard.login_throttle import LoginThrottle
from shop_manager.dashboard.not_yet import HELD, OLD_LOGIN_PAGE, HeldAct, held_in
from shop_manager.dashboard.provider_logins import LIFETIME, ProviderLogins, Returned
from shop_manager.dashboard.return_paths import HOME, LOGIN_PATH, safe_return_path
from shop_manager.operations.login_audit import LoginAudit, Refusal

if TYPE_CHECKING:
    from http_api.openid import OpenIdProvider

BEGIN = CALLBACK.removesuffix("/callback")
_FAILED = "The login at the provider did not succeed. Try it again from here."
_NO_ROLE = "The provider knows you, and gives you no role here. Ask whoever looks after its groups."
_AWAY = "The provider does not answer at the moment. Try again, or log in with a password of ours."
log = structlog.get_logger()


class ProviderPages:
    """Each method is the endpoint of one route; without a provider there is nothing at either."""

    def __init__(
        self, layout: Layout, provider: OpenIdProvider | None, throttle: LoginThrottle, audit: LoginAudit
    ) -> None:
        self._logins = layout.logins
        self._begun = ProviderLogins(layout.database)
        self._provider = provider
        self._throttle = throttle
        self._audit = audit

    def begin(self, request: Request) -> Response:
        """To the provider. A page of another site can send nobody there: it leads to the login page."""
        provider = self._known()
        if request.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
            return redirect(LOGIN_PATH)
        wait = self._throttle.take_origin(origin(request.scope))
        if wait:
            raise Problem("too_many_requests", retry_after=wait)
        return self._begin(request, provider, None)

    def begin_with_act(self, request: Request) -> Response:
        """The same for whoever had sent an act: it is kept until they are back. A page of ours leads on, for a form may
        lead nowhere else (`form-action`).
        """
        provider = self._known()
        held = held_in(request.state.form.get(HELD))
        if is_of_earlier_login(request, request.state.form, read_cookie(request, VISIT)):
            return login_page(request, HOME, error=OLD_LOGIN_PAGE, status=401, provider=True, held=held)
        wait = self._throttle.take_origin(origin(request.scope))
        if wait:
            raise Problem("too_many_requests", retry_after=wait)
        return self._begin(request, provider, held)

    def _begin(self, request: Request, provider: OpenIdProvider, held: HeldAct | None) -> Response:
        target = safe_return_path(request.query_params.get("next"))
        try:
            begun = provider.begin()
        except (ProviderUnavailable, NotVouchedFor) as error:
            return self._away(request, target, error, held)
        response = redirect(begun.url)
        if held:
            response = render(request, "onward.html", url=begun.url)
            response.headers["Refresh"] = f"0; url={begun.url}"
        token = self._begun.begin(begun, target, held.text if held else None)
        put_cookie(request, response, PROVIDER, token, LIFETIME // 1000)
        return response

    def come_back(self, request: Request) -> Response:
        """From the provider, with a code or an error. Whatever comes, the cookie is used up."""
        provider, given = self._known(), request.query_params
        token = read_cookie(request, PROVIDER)
        returned = self._begun.take(token, given.get("state", "")) if token else None
        if returned is None:
            return self._refused(request, "unknown or used state")
        held = held_in(returned.act)
        if "error" in given or not given.get("code"):
            return self._refused(request, "the provider has refused", held=held)
        try:
            person = provider.person(given["code"], returned.nonce, returned.verifier, given.get("iss"))
        except NotVouchedFor as error:
            return self._refused(request, f"not vouched for: {error}", held=held)
        except ProviderUnavailable as error:
            return self._away(request, returned.return_path, error, held)
        return self._entered(request, person, returned)

    def _entered(self, request: Request, person: VouchedFor, returned: Returned) -> Response:
        if person.role is None:
            return self._refused(request, "no role", stable_part(person.name), _NO_ROLE, held_in(returned.act))
        login = self._logins.begin_elsewhere(person.name, person.role, read_cookie(request, LOGIN))
        self._audit.done(login.principal, "login", address_prefix(request.scope))
        held = held_in(returned.act)
        response = held_page(request, login, held) if held else redirect(returned.return_path)
        put_login(request, response, login, self._logins)
        drop_cookie(request, response, PROVIDER)
        return response

    def _known(self) -> OpenIdProvider:
        if self._provider is None:
            raise not_found()
        return self._provider

    def _refused(
        self, request: Request, why: str, name: str | None = None, error: str = _FAILED, held: HeldAct | None = None
    ) -> Response:
        self._audit.refused(Refusal(name, "forbidden", why), address_prefix(request.scope))
        page = login_page(request, HOME, error=error, status=403, provider=True, held=held)
        drop_cookie(request, page, PROVIDER)
        return page

    def _away(self, request: Request, target: str, error: Exception, held: HeldAct | None) -> Response:
        log.warning("provider_not_reached", trouble=str(error))
        page = login_page(request, target, error=_AWAY, status=503, provider=True, held=held)
        page.headers["Retry-After"] = "2"
        return page

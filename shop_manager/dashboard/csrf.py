"""Cross-site request forgery: every write needs the token of its form, and must come from our own origin (S8).

The token is derived from the secret in the cookie: no other page can know it, and nothing has to be stored.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from fastapi import Request

from http_api.problems import Problem
from http_api.public_address import public_address

FIELD = "csrf"


def csrf_token(secret: str) -> str:
    """The form token of who has this secret in the cookie."""
    return hmac.new(secret.encode(), b"dashboard form", hashlib.sha256).hexdigest()


def check_csrf(request: Request, form: Mapping[str, str], secret: str | None) -> None:
    """Problem 403 when the form comes from another origin, or its token is not the one of this secret.

    Without a secret, that is without the cookie, no token is right: that of an empty one anybody can reckon.
    """
    public = public_address(request.scope)
    if public.is_known and request.headers.get("host", "").lower() != public.host:
        raise Problem("forbidden", f"The dashboard is at {public.origin}{public.prefix}/dashboard, and not here.")
    given = form.get(FIELD) or request.headers.get("x-csrf-token") or ""
    right = secret and hmac.compare_digest(given.encode(), csrf_token(secret).encode())
    if not right or not is_same_origin(request):
        raise Problem("forbidden", "This form was not sent from this dashboard, or is too old: open the page again.")


def is_of_earlier_login(request: Request, form: Mapping[str, str], secret: str | None) -> bool:
    """Is the token of the form not the one of this secret, while a browser vouches that the form comes from a page of
    ours? Then it is of an earlier login: nothing is to be done, and the form is shown once more.

    Problem 403 as `check_csrf` when nobody vouches for it.
    """
    try:
        check_csrf(request, form, secret)
    except Problem:
        if not _is_of_ours(request):
            raise
        return True
    return False


def _is_of_ours(request: Request) -> bool:
    public = public_address(request.scope)
    at_home = not public.is_known or request.headers.get("host", "").lower() == public.host
    return at_home and request.headers.get("origin") is not None and is_same_origin(request)


def is_same_origin(request: Request) -> bool:
    """Does the browser say that the form comes from a page of ours?

    A client that sends neither header is no browser: there the token alone decides.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin"):
        return False
    if origin is None:
        return site is None
    public = public_address(request.scope)
    if public.is_known:
        return origin == public.origin
    host = request.headers.get("host", "")
    ours = {f"{request.url.scheme}://{host}", f"https://{host}"}  # a proxy in front may take off the TLS
    return bool(host) and origin in ours

"""The dashboard's cookies: the login's, and those of a browser that is not logged in yet (security S8).

Over TLS they carry the `__Host-` prefix, with which no other host and no plain HTTP can set them.
"""

from __future__ import annotations

import re
import secrets

from fastapi import Request, Response

from http_api.public_address import public_address

LOGIN = "clerk_login"
VISIT = "clerk_visit"
PROVIDER = "clerk_provider"
"""Of a browser that is at an OpenID provider just now."""
DONE = "clerk_done"
"""What was done with the act before: shown on the page after it, once."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


def read_cookie(request: Request, name: str) -> str | None:
    """None when there is none, or it is none of ours: ours hold letters and digits, and are not empty."""
    found = request.cookies.get(_full(request, name), "")
    return found if _TOKEN.fullmatch(found) else None


def put_cookie(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """`max_age` in seconds; without it the cookie ends with the browser."""
    secure, public = _secure(request), public_address(request.scope)
    response.set_cookie(
        _full(request, name),
        value,
        max_age=max_age,
        path="/" if secure else public.path("/dashboard"),  # `__Host-` wants it so, whatever the prefix
        secure=secure,
        httponly=True,
        samesite="lax",  # with strict, a link in an alarm would lead to the login page each time
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    put_cookie(request, response, name, "", 0)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def _secure(request: Request) -> bool:
    """Does the browser reach us over TLS? The public address says so for sure, else the request."""
    public = public_address(request.scope)
    return (public.scheme if public.is_known else request.url.scheme) == "https"


def _full(request: Request, name: str) -> str:
    return f"__Host-{name}" if _secure(request) else name

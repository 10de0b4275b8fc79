"""The dashboard's two cookies: the login's, and the one that a visitor has before (security S8).

Over TLS they carry the `__Host-` prefix, with which no other host and no plain HTTP can set them.
"""

from __future__ import annotations

import secrets

from fastapi import Request, Response

LOGIN = "clerk_login"
VISIT = "clerk_visit"
_LONGEST = 200


def read_cookie(request: Request, name: str) -> str | None:
    found = request.cookies.get(_full(request, name))
    return found if found and len(found) <= _LONGEST and found.isascii() else None


def put_cookie(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """`max_age` in seconds; without it the cookie ends with the browser."""
    secure = _secure(request)
    response.set_cookie(
        _full(request, name),
        value,
        max_age=max_age,
        path="/" if secure else "/dashboard",
        secure=secure,
        httponly=True,
        samesite="lax",  # with strict, a link in an alarm would lead to the login page each time
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    put_cookie(request, response, name, "", 0)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _full(request: Request, name: str) -> str:
    return f"__Host-{name}" if _secure(request) else name

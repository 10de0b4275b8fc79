"""Which page of the dashboard a request comes from, and where a login leads back to: never out of the dashboard."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request

from http_api.public_address import public_address

HOME = "/dashboard"
LOGIN_PATH = "/dashboard/login"
LOGOUT_PATH = "/dashboard/logout"
_OWN_PATH = re.compile(r"/dashboard(?:[/?][!-\[\]-~]*)?")


def safe_return_path(path: str | None) -> str:
    """Where to go after the login: a page of the dashboard, and never to another site."""
    if path is None or not _OWN_PATH.fullmatch(path):
        return HOME
    own = path.partition("?")[0].partition("#")[0]
    leads_out = any(unquote(part) in (".", "..") for part in own.split("/"))
    about_logins = own in (LOGIN_PATH, LOGOUT_PATH) or own.startswith(f"{LOGIN_PATH}/")
    return HOME if leads_out or about_logins else path


def page_of(request: Request) -> str | None:
    """The page that is asked for, or whose form was sent."""
    return current_page(request) if request.method in ("GET", "HEAD") else referring_page(request)


def login_address(page: str | None) -> str:
    """The login page that leads back to this page."""
    return LOGIN_PATH if page in (None, HOME) else f"{LOGIN_PATH}?next={quote(page or '', safe='/')}"


def current_page(request: Request) -> str:
    return safe_return_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def referring_page(request: Request) -> str | None:
    """The page whose form was sent; None when the browser does not say it, or what it says is no address."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    path = public_address(request.scope).own_path(parts.path)
    return safe_return_path(path + (f"?{parts.query}" if parts.query else "")) if parts.path else None

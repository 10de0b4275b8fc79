"""Is this write meant by who is logged in? The form's token and the browser's own word on where it comes from (S8).

The token is derived from the cookie, so that no other page can know it and nothing has to be kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from doors.problems import Problem

FIELD = "csrf"
MOST_FIELDS = 1000


def csrf_token(secret: str) -> str:
    """The form token of who has this secret in the cookie."""
    return hmac.new(secret.encode(), b"dashboard form", hashlib.sha256).hexdigest()


def check_write(request: Request, form: Mapping[str, str], secret: str) -> None:
    """Goes on when the form is ours; Problem 403 when it comes from elsewhere, or its token is not the cookie's."""
    given = form.get(FIELD) or request.headers.get("x-csrf-token") or ""
    if not comes_from_here(request) or not hmac.compare_digest(given.encode(), csrf_token(secret).encode()):
        raise Problem("forbidden", "This form was not sent from this dashboard, or is too old: open the page again.")


def comes_from_here(request: Request) -> bool:
    """A browser says where a form comes from. Who says nothing at all is no browser, and has the token or has not."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin"):
        return False
    if origin is None:
        return site is None
    host = request.headers.get("host", "")
    ours = {f"{request.url.scheme}://{host}", f"https://{host}"}  # a proxy in front may take off the TLS
    return bool(host) and origin in ours


class Form(dict[str, str]):
    """The fields of an HTML form, the last of each name; `all_of` has every one, as of boxes that are ticked."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def all_of(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


async def read_form(request: Request) -> None:
    """A dependency: puts the form of a request with a body at `request.state.form`; the BodyGuard has measured it."""
    body = await request.body() if request.method not in ("GET", "HEAD") else b""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # UnicodeDecodeError is one too
        raise Problem("invalid_request", "The form is not UTF-8, or has too many fields.") from None
    if any("\x00" in part for pair in pairs for part in pair):
        raise Problem("invalid_request", "The form holds a NUL character.")
    request.state.form = Form(pairs)

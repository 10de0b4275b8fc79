"""Middleware: what is percent-encoded in an address must be text that a database can keep.

A NUL, half of a surrogate pair or bytes that are no UTF-8 are in no name of ours: such a path leads nowhere (404), such
a query is refused (422). Behind this nobody sees one: frameworks would put other characters in its place. Nor is an
encoded slash in any name: behind this it would count as one, and the path would lead elsewhere than a proxy reads.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from http_api.problem_response import problem_response
from http_api.problems import Problem, invalid, not_found

_ENCODED_SLASH = re.compile(rb"%(?:2f|5c)", re.IGNORECASE)
_SHOWN = 60
"""Characters of a parameter's name that an error tells."""


class UrlTextMiddleware:
    """Checks path and query of every request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _wrong_text(scope) if scope["type"] == "http" else None
        if problem is not None:
            await problem_response(problem, scope, receive, send)
            return
        await self.app(scope, receive, send)


def _wrong_text(scope: Scope) -> Problem | None:
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    if not _can_be_kept(path) or _ENCODED_SLASH.search(path):
        return not_found()
    for parameter in scope["query_string"].split(b"&"):
        name, _, value = parameter.partition(b"=")
        if not _can_be_kept(name):
            return invalid("query", "the name of a parameter is no text: it holds a NUL, or is not UTF-8")
        if not _can_be_kept(value):
            return invalid(unquote_to_bytes(name).decode()[:_SHOWN], "no text: it holds a NUL, or is not UTF-8")
    return None


def _can_be_kept(quoted: bytes) -> bool:
    """Strict UTF-8 has no halves of surrogate pairs and no overlong NUL."""
    found = unquote_to_bytes(quoted)
    try:
        return b"\x00" not in found and found.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False

"""The files that pages need, served by ourselves: style, script, and htmx with its licence (THIRD_PARTY.md)."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request, Response

from doors.problems import not_found

_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".md": "text/markdown",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"


def asset(name: str) -> str:
    """The address of a file, with its content's hash: a new content has a new address."""
    return f"/dashboard/static/{name}?v={_digest(name)}"


def assets_router() -> APIRouter:
    """For everybody: the login page needs them too."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dashboard/static/{name}")
    def static(name: str, request: Request) -> Response:
        if name not in _files():
            raise not_found()
        tag = f'"{_digest(name)}"'
        fresh = request.query_params.get("v") == _digest(name)
        headers = {"ETag": tag, "Cache-Control": _FOR_EVER if fresh else _ASK_AGAIN}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        kind = _KINDS[name[name.rindex(".") :]]
        return Response(_content(name), headers={**headers, "Content-Type": f"{kind}; charset=utf-8"})

    return router


@cache
def _files() -> frozenset[str]:
    folder = resources.files("shop_manager.dashboard").joinpath("static")
    return frozenset(each.name for each in folder.iterdir() if each.name[each.name.rfind(".") :] in _KINDS)


@cache
def _content(name: str) -> bytes:
    return resources.files("shop_manager.dashboard").joinpath("static", name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]

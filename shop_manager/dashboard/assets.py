"""The static files of the pages, served by ourselves: style, script, htmx and its licence (static/THIRD_PARTY.md)."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request, Response

from http_api.problems import not_found
from http_api.routes import Routes

_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".md": "text/markdown",
}
_KEEP_FOR_EVER = "public, max-age=31536000, immutable"
_REVALIDATE = "public, no-cache"


def asset(name: str) -> str:
    """The address of a file, with the hash of its content: changed content has another address."""
    return f"/dashboard/static/{name}?v={_digest(name)}"


def assets_router() -> APIRouter:
    """Without a login: the login page needs them too."""
    router = Routes(include_in_schema=False)

    @router.get("/dashboard/static/{name}")
    def static(name: str, request: Request) -> Response:
        if name not in _files():
            raise not_found()
        tag = f'"{_digest(name)}"'
        current = request.query_params.get("v") == _digest(name)
        headers = {"ETag": tag, "Cache-Control": _KEEP_FOR_EVER if current else _REVALIDATE}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        media_type = _MEDIA_TYPES[name[name.rindex(".") :]]
        return Response(_content(name), headers={**headers, "Content-Type": f"{media_type}; charset=utf-8"})

    return router


@cache
def _files() -> frozenset[str]:
    folder = resources.files("shop_manager.dashboard").joinpath("static")
    return frozenset(each.name for each in folder.iterdir() if each.name[each.name.rfind(".") :] in _MEDIA_TYPES)


@cache
def _content(name: str) -> bytes:
    return resources.files("shop_manager.dashboard").joinpath("static", name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]

"""`/docs`: the API to read and try out, from our own assets only; `/docs/errors`: the list of error codes.

Swagger UI sets inline styles and data: images on its own elements, so these two are allowed on this one page.
"""

from __future__ import annotations

from html import escape
from importlib import resources

from fastapi import Response
from fastapi.responses import HTMLResponse

from http_api.problems import CODES, not_found
from http_api.routes import Routes

_WIDER = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_KINDS = {".css": "text/css", ".js": "text/javascript", ".txt": "text/plain", ".md": "text/markdown"}
_SERVED = (
    "docs.css",
    "docs.js",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "LICENSE.txt",
    "NOTICE.txt",
    "THIRD_PARTY.md",
)
# All addresses are relative, so that the page works below any mount point.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
<link rel="stylesheet" href="docs/assets/docs.css">
<script src="docs/assets/swagger-ui-bundle.js" defer></script>
<script src="docs/assets/docs.js" defer></script>
</head>
<body>
<main id="swagger-ui" data-openapi="openapi.json"><noscript>This page needs JavaScript; the document it shows is
<a href="openapi.json">openapi.json</a>.</noscript></main>
</body>
</html>
"""
_ERRORS = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errors</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/docs.css">
</head>
<body>
<main class="errors">
<h1>Errors</h1>
<dl>
{entries}
</dl>
</main>
</body>
</html>
"""


def docs_router(title: str) -> Routes:
    """The page for the application of that title; it reads `openapi.json` beside it."""
    router = Routes(include_in_schema=False)
    page = _PAGE.format(title=escape(title))

    @router.get("/docs")
    def docs() -> HTMLResponse:
        return HTMLResponse(page, headers={"Content-Security-Policy": _WIDER})

    @router.get("/docs/errors")
    def errors() -> HTMLResponse:
        return HTMLResponse(_ERRORS.format(entries=_entries()), headers={"Content-Security-Policy": _WIDER})

    @router.get("/docs/assets/{name}")
    def asset(name: str) -> Response:
        if name not in _SERVED:
            raise not_found()
        kind = _KINDS[name[name.rindex(".") :]]
        headers = {"Cache-Control": "public, max-age=3600", "Content-Type": f"{kind}; charset=utf-8"}
        return Response(read_asset(name), headers=headers)

    return router


def read_asset(name: str) -> bytes:
    """The bytes of one of our own files, wherever the package is installed."""
    return resources.files("http_api").joinpath("assets", name).read_bytes()


def _entries() -> str:
    return "\n".join(
        f'<dt id="{name}"><code>{name}</code> {code.status} {escape(code.title)}</dt><dd>{escape(code.meaning)}</dd>'
        for name, code in CODES.items()
    )

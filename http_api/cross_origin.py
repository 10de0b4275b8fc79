"""CORS: pages of allowed origins may call us from a browser, and read the headers of our answers.

They show their token in a header and never a cookie, so no answer allows credentials. What is for customers' browsers
is open, the operators' side never is. Why not the framework's own middleware: docs/decisions/074.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.web_origins import AllowedOrigins
from http_api.request import single_header

OPEN = ("/shop", "/payment", "/fulfillment")
"""Below these a page of another origin is answered."""
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Last-Event-ID, Prefer, Request-Id, traceparent, tracestate",
    "Access-Control-Max-Age": "7200",
}
EXPOSED = (
    "Allow, Date, ETag, Idempotent-Replayed, Location, Preference-Applied, Request-Id, Retry-After, Session-ETag, "
    "WWW-Authenticate"
)


class CrossOriginMiddleware:
    """Outside of all that answers: errors and event streams say it too who may read them."""

    def __init__(self, app: ASGIApp, origins: AllowedOrigins) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_open(scope):
            await self.app(scope, receive, send)
            return
        allowed = self.origins.answer_to(single_header(scope, b"origin"))

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                if allowed is not None:
                    headers["Access-Control-Allow-Origin"] = allowed
                    headers["Access-Control-Expose-Headers"] = EXPOSED
                if not self.origins.any_origin and "origin" not in headers.get("vary", "").lower():
                    headers.add_vary_header("Origin")
            await send(message)

        await self.app(scope, receive, send_with_origin)


class PreflightMiddleware:
    """Answers what a browser asks before it sends a page's request: before limits and authentication.

    To a page of an origin that is not allowed it is an OPTIONS like any other: without these headers in the answer the
    browser sends nothing.
    """

    def __init__(self, app: ASGIApp, origins: AllowedOrigins) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_open(scope) and is_preflight(scope) and self.origins.answer_to(single_header(scope, b"origin")):
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and single_header(scope, b"access-control-request-method") is not None


def _is_open(scope: Scope) -> bool:
    return scope["type"] == "http" and any(
        scope["path"] == path or scope["path"].startswith(f"{path}/") for path in OPEN
    )

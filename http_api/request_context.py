"""The outermost middleware: gives the request its id, adds the security headers, and makes a plain 500 of a crash."""

from __future__ import annotations

import asyncio

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_api import request as requests
from http_api.exception_handlers import describe
from http_api.problem_response import problem_response
from http_api.problems import Problem
from messaging.database_limits import in_a_hurry

_log = structlog.get_logger("http_api")
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
"""On every response that does not set them itself."""


class RequestContextMiddleware:
    """Puts `request_id` and `traceparent` into the scope's state, and the id into every log line and response.

    What the request asks of a database is asked in a hurry (messaging/database_limits.py).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = requests.accepted_request_id(requests.single_header(scope, b"request-id"))
        trace = requests.accepted_traceparent(requests.single_header(scope, b"traceparent"))
        scope["state"] = {**scope.get("state", {}), "request_id": name, "traceparent": trace}
        with structlog.contextvars.bound_contextvars(request_id=name), in_a_hurry():
            await self._run(scope, receive, send, name)

    async def _run(self, scope: Scope, receive: Receive, send: Send, name: str) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers["Request-Id"] = name
                for header, value in ALWAYS:
                    headers.setdefault(header, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except asyncio.CancelledError:  # this process ends: nobody waits for the application's response any more
            if not started:
                await problem_response(
                    Problem("service_unavailable", headers={"Connection": "close"}), scope, receive, send_with_headers
                )
        except Exception as broken:
            _log.error("request broke", **describe(broken))
            if started:
                raise  # a part of the response is out: only closing the connection tells the client
            await problem_response(Problem("internal"), scope, receive, send_with_headers)

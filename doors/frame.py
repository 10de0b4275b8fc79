"""The outermost guard: names the request, adds the security headers, and turns whatever breaks into a plain 500."""

from __future__ import annotations

import asyncio

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doors import request as requests
from doors.answering import answer
from doors.failures import describe
from doors.problems import Problem

_log = structlog.get_logger("doors")
_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
"""On every answer that does not say otherwise itself."""


class Frame:
    """Puts `request_id` and `traceparent` into the scope's state, and the id into every log line and answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = requests.taken_request_id(requests.single_header(scope, b"request-id"))
        trace = requests.taken_traceparent(requests.single_header(scope, b"traceparent"))
        scope["state"] = {**scope.get("state", {}), "request_id": name, "traceparent": trace}
        with structlog.contextvars.bound_contextvars(request_id=name):
            await self._run(scope, receive, send, name)

    async def _run(self, scope: Scope, receive: Receive, send: Send, name: str) -> None:
        started = False

        async def framed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers["Request-Id"] = name
                for header, value in _ALWAYS:
                    headers.setdefault(header, value)
            await send(message)

        try:
            await self.app(scope, receive, framed)
        except asyncio.CancelledError:  # this process ends: the answer is not waited for any more
            if not started:
                await answer(Problem("service_unavailable", headers={"Connection": "close"}), scope, receive, framed)
        except Exception as broken:
            _log.error("request broke", **describe(broken))
            if started:
                raise  # half an answer is out: only closing the connection tells the caller
            await answer(Problem("internal"), scope, receive, framed)

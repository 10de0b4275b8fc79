"""`Session-ETag` on every answer about a session's cart, payment or shipment: the version of its Clerk, in quotes.

Whoever has changed something there can wait for what follows from it with `If-None-Match` and `Prefer: wait`. It stands
around the application of ShopManager, so it is the same behind the gateway and where all services are in one process.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_api.conventions import etag
from messaging.database import Database
from messaging.database_errors import DATABASE_ERRORS
from shop_manager.sessions.change_notifier import versions_in
from shop_manager.sessions.session_paths import about_session

METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"})
TOLD = frozenset({402, 409, 412})
"""Beside what succeeded: refusals that only those get who may see the session (S1)."""
OF_A_CART = (b'"code": "cart_empty"', b'"code": "article_unknown"')
"""In the bodies of a 422 that only those get: within a text the quotes would be escaped."""


class SessionEtagMiddleware:
    """`database` is ShopManager's. While it is away an answer has no such header."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app = app
        self._versions = versions_in(database)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        about = about_session(scope)
        if about is None or scope["method"] not in METHODS:
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            while held:
                await send(await self._told(held.pop(), about.session, message.get("body", b"")))
            await send(message)

        await self.app(scope, receive, send_with_version)

    async def _told(self, start: Message, session: str, body: bytes) -> Message:
        status = start["status"]
        its_own = status == 422 and any(code in body for code in OF_A_CART)
        if not (status < 400 or status in TOLD or its_own):
            return start
        try:
            version = (await run_in_threadpool(self._versions, [session])).get(session)
        except DATABASE_ERRORS:
            return start
        if version is None:
            return start
        return {**start, "headers": [*start.get("headers", ()), (b"session-etag", etag(version).encode())]}

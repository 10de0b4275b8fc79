"""Asks a route of the application itself, be it a service's of this process or one behind the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Scope

_KEPT = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "app")


async def answer_of(
    app: ASGIApp, scope: Scope, path: str, headers: Sequence[tuple[bytes, bytes]]
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of a GET, on behalf of the request of that scope; an empty object for any other body."""
    asked: Scope = {
        **{name: scope[name] for name in _KEPT if name in scope},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "state": dict(scope.get("state", {})),
    }
    status, body = 0, b""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    await app(asked, receive, send)
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    return status, told if isinstance(told, dict) else {}

"""Asks the cart whether its order is placed: what ShopManager cannot know before the shop's reply (docs/decisions/093).

The question goes to the application itself, to the shop's routes or to the gateway, with the caller's credentials.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Scope

from http_api.problems import Problem

_KEPT = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "app")
_SHOWN = (b"authorization", b"host")
NOT_KNOWN = (
    "Whether the order has been placed cannot be found out at the moment: ask again after `Retry-After` seconds."
)


async def unless_placed(app: ASGIApp, scope: Scope, session: str, problem: Problem, on_its_way: Problem) -> Problem:
    """`problem` where the cart says too that nothing was ordered, `on_its_way` where it was.

    Else what the cart says of a session that has ended, and a 503 where it says nothing that tells.
    """
    status, told = await _answer(app, scope, f"/shop/carts/{session}")
    if status == 404 or (status == 200 and told.get("status") == "open"):
        return problem
    if status == 200 and told.get("status") == "placed":
        return on_its_way
    if told.get("code") == "session_ended":
        return Problem("session_ended", session_id=session)
    return Problem("service_unavailable", NOT_KNOWN, session_id=session)


async def _answer(app: ASGIApp, scope: Scope, path: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of a GET; an empty object for any other body."""
    asked: Scope = {
        **{name: scope[name] for name in _KEPT if name in scope},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name, value) for name, value in scope["headers"] if name in _SHOWN],
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

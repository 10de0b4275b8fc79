"""Sends one request to an ASGI application without a network; returns as soon as the response begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import NamedTuple
from urllib.parse import unquote

import httpx
from starlette.types import ASGIApp, Message, Scope

WITHIN = 10.0


class AsgiResponse(NamedTuple):
    """`body` is what came before the client left: all of it, unless it is a stream."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


def addresses() -> Iterator[str]:
    """A new client address for each request, so that no rate limit is reached; none is this machine's."""
    for number in count(1):
        yield f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


ADDRESSES = addresses()


async def send_request(
    app: ASGIApp, method: str, target: str, headers: Mapping[str, str | bytes], body: bytes = b""
) -> AsgiResponse:
    """Send the request and disconnect once the response has begun; a stream is not waited for."""
    begun: list[Message] = []
    body_parts: list[bytes] = []
    left = asyncio.Event()
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if parts:
            return parts.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.append(message)
            left.set()
        else:
            body_parts.append(message.get("body", b""))

    asked = asyncio.ensure_future(app(_scope(method, target, headers, len(body)), receive, send))
    gone = asyncio.ensure_future(left.wait())
    await asyncio.wait({asked, gone}, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
    if begun and _is_stream(begun[0]):
        asked.cancel()
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(asked, WITHIN)
    found = {name.decode(): value.decode() for name, value in begun[0]["headers"]}
    return AsgiResponse(begun[0]["status"], found, b"".join(body_parts))


def _scope(method: str, target: str, headers: Mapping[str, str | bytes], length: int) -> Scope:
    path, _, query = target.partition("?")
    given: dict[str, str | bytes] = {"host": "shop.test", "content-length": str(length), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), _bytes(value)) for name, value in given.items()],
        "client": (next(ADDRESSES), 4711),
        "server": ("shop.test", 80),
    }


def _is_stream(begin: Message) -> bool:
    return any(value.startswith(b"text/event-stream") for name, value in begin["headers"] if name == b"content-type")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


class AsgiTransport(httpx.AsyncBaseTransport):
    """An httpx transport straight into an ASGI application: between the gateway and a service in the same process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.raw_path.decode(), await request.aread()
        response = await send_request(self._app, request.method, path, dict(request.headers), body)
        return httpx.Response(response.status, headers=response.headers, content=response.body)

"""One request to an application without a network: its status and headers, as soon as an answer begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import count
from typing import NamedTuple
from urllib.parse import unquote

import httpx
from starlette.types import ASGIApp, Message, Scope

WITHIN = 10.0


class Answer(NamedTuple):
    status: int
    location: str = ""


def addresses() -> Iterator[str]:
    """Each request comes from an address of its own, so that no caller is too fast, and none from this machine."""
    for number in count(1):
        yield f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


ADDRESSES = addresses()


async def knock(app: ASGIApp, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """A stream is left once it has begun: that it was opened is all that is asked here."""
    begun: list[Message] = []
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

    await asyncio.wait_for(app(_scope(method, target, headers, len(body)), receive, send), WITHIN)
    answered = {name.decode(): value.decode() for name, value in begun[0]["headers"]}
    return Answer(begun[0]["status"], answered.get("location", ""))


def _scope(method: str, target: str, headers: Mapping[str, str], length: int) -> Scope:
    path, _, query = target.partition("?")
    given = {"host": "shop.test", "content-length": str(length), **headers}
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
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": (next(ADDRESSES), 4711),
        "server": ("shop.test", 80),
    }


class Behind(httpx.BaseTransport):
    """The wire between the front and an application behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        answer = asyncio.run(knock(self._app, request.method, path, dict(request.headers), request.read()))
        return httpx.Response(answer.status)

"""A real HTTP server around a small application, and connections to it that say exactly the bytes they are given."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from threading import Event
from time import monotonic
from typing import Any

from fastapi import FastAPI, Response

from clerk_cli.http_server import HttpServer, bind
from http_api.install_middleware import install_middleware
from http_api.rate_limits import Limits

LIMIT = 30.0
"""Seconds within which whatever is awaited has to come."""
GET = b"GET /hello HTTP/1.1\r\nHost: shop\r\n\r\n"
LONG = b"x" * 16_000_000
"""More than the system keeps for a reader that does not read."""
HALF = b"GET /hello HTTP/1.1\r\nHost: sh"


def small_application() -> FastAPI:
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.get("/long")
    async def long() -> Response:
        return Response(LONG)

    install_middleware(app, limits=Limits())
    return app


class Caller:
    """One connection to the server."""

    def __init__(self, port: int, said: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self._rest = b""
        self.says(said)

    def says(self, more: bytes) -> None:
        self._socket.sendall(more)

    def hears(self) -> tuple[int, dict[str, str], bytes]:
        """The next response: status, headers in lower case, body."""
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers["content-length"])
        while len(self._rest) < length:
            self._read()
        body, self._rest = self._rest[:length], self._rest[length:]
        return int(first.split()[1]), headers, body

    def _read(self) -> None:
        more = self._socket.recv(65536)
        assert more, f"closed after {self._rest!r}"
        self._rest += more

    def waits_for_its_answer(self) -> None:
        """Until the answer has begun; none of it is read."""
        assert self._socket.recv(1, socket.MSG_PEEK)

    def is_closed(self) -> bool:
        """Waits for the server's end of the connection; True when nothing came before it."""
        try:
            return self._socket.recv(1) == b"" and self._rest == b""
        except ConnectionResetError:
            return True

    def problem(self) -> dict[str, Any]:
        """The next response, which is an error, and the last one of this connection."""
        status, headers, body = self.hears()
        found: dict[str, Any] = json.loads(body)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert headers["request-id"] == found["request_id"]
        assert found["status"] == status
        assert self.is_closed()
        return found | {"retry_after": headers.get("retry-after")}

    def close(self) -> None:
        self._socket.close()


class ServerUnderTest:
    """A running server; in a `with`, at whose end it is stopped and all its callers are closed."""

    def __init__(self, app: FastAPI | None = None, connections: int = 100, *, proxy: bool = False) -> None:
        self._bound = bind("127.0.0.1", 0)
        self.server = HttpServer(
            app or small_application(), self._bound, trusts_forwarded_headers=proxy, connections=connections
        )
        self.port: int = self._bound.getsockname()[1]
        self._callers = ExitStack()

    def __enter__(self) -> ServerUnderTest:
        self.server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._callers.close()
        self.server.stop()
        self._bound.close()

    def caller(self, said: bytes = b"") -> Caller:
        """A new connection, on which this is said."""
        caller = Caller(self.port, said)
        self._callers.callback(caller.close)
        return caller

    def until_nobody_is_connected(self) -> None:
        self.until(lambda: len(self.server.connections) == 0)

    @staticmethod
    def until(holds: Callable[[], bool]) -> None:
        """Wait until it is so."""
        end = monotonic() + LIMIT
        while not holds():
            assert monotonic() < end
            Event().wait(0.01)

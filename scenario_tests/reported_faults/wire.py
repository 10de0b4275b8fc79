"""A connection to one service that says exactly the bytes it is given, for cases in which they matter."""

from __future__ import annotations

import json
import socket
import struct
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

LIMIT = 20.0
"""Seconds within which an answer has begun."""


class Heard(NamedTuple):
    """One answer. `headers` have lower-case names; of a repeated one the last value."""

    version: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def short(self) -> str:
        """`404 not_found`, `200`."""
        code = self.json.get("code") if "problem+json" in self.headers.get("content-type", "") else None
        return f"{self.status} {code}" if code else f"{self.status}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """In a `with`: closed at its end."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=LIMIT)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def says(self, said: bytes) -> Self:
        self._socket.sendall(said)
        return self

    def asks(self, method: str, path: str, *headers: str, body: bytes = b"", version: str = "1.1") -> Self:
        """A whole request; `Host` and the body's length are added."""
        length = [f"Content-Length: {len(body)}"] if body else []
        lines = [f"{method} {path} HTTP/{version}", f"Host: {self.host}", *headers, *length, "", ""]
        return self.says("\r\n".join(lines).encode("utf-8") + body)

    def hears(self, *, head: bool = False) -> Heard:
        """The next answer, an interim one (100) too. `head`: its head only."""
        while b"\r\n\r\n" not in self._rest:
            self._read()
        start, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = start.decode("latin-1").split("\r\n")
        version, status = first.split(" ")[:2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = b""
        if not head and int(status) >= 200 and int(status) not in (204, 304):
            body = self._exactly(int(headers["content-length"])) if "content-length" in headers else self._to_the_end()
        return Heard(version, int(status), headers, body)

    def hears_until(self, wanted: bytes) -> bytes:
        """Everything up to these bytes, and with them."""
        while wanted not in self._rest:
            self._read()
        found, _, self._rest = self._rest.partition(wanted)
        return found + wanted

    def _exactly(self, length: int) -> bytes:
        while len(self._rest) < length:
            self._read()
        found, self._rest = self._rest[:length], self._rest[length:]
        return found

    def _to_the_end(self) -> bytes:
        while more := self._socket.recv(65536):
            self._rest += more
        found, self._rest = self._rest, b""
        return found

    def _read(self) -> None:
        more = self._socket.recv(65536)
        assert more, f"closed after {self._rest!r}"
        self._rest += more

    def is_closed(self) -> bool:
        """Waits for the server's end of the connection; True when nothing more came before it."""
        try:
            return self._rest == b"" and self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def loses_the_answer(self) -> None:
        """The answer is on its way, and nobody takes it: what was asked has been done, and its client does not know."""
        self._socket.recv(1, socket.MSG_PEEK)
        self.breaks()

    def breaks(self) -> None:
        """The connection is gone at once, as when a telephone loses its network."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

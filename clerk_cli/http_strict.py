"""Reads HTTP/1.1 more strictly than h11 alone: what two servers could understand differently is refused.

A proxy before us that reads a request's end elsewhere than we do would let a caller smuggle a second one past it.
"""

from __future__ import annotations

import re

import h11

_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)(/[^?]*)?(\?.*)?", re.IGNORECASE | re.DOTALL)
"""The target of a request in absolute form, as it is sent to a proxy: who is asked for, path, query."""
MOST_HEAD = 64 * 1024
"""Bytes of a request line and its headers together."""


class StrictConnection(h11.Connection):
    """h11's connection of a server. `too_large`: `next_event` has raised because the headers were too long."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MOST_HEAD)
        self.too_large = False
        self._at_a_line_to_skip = True
        self._head = b""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """The next event; h11.RemoteProtocolError when the client's bytes are refused."""
        if self.their_state is h11.IDLE and self._at_a_line_to_skip and not self._skips_a_line():
            return h11.NEED_DATA
        before = self.trailing_data[0] if self.their_state in (h11.IDLE, h11.SEND_BODY) else b""
        try:
            event = super().next_event()
            if isinstance(event, h11.Request | h11.EndOfMessage):
                _check_lines(before[: len(before) - len(self.trailing_data[0])])
            if isinstance(event, h11.Request):
                _check_framing(event, before[: len(before) - len(self.trailing_data[0])])
                event = _without_host(event)
                self._at_a_line_to_skip = True
        except h11.RemoteProtocolError as error:
            self.too_large = error.error_status_hint == 431
            raise
        return event

    def send(self, event: h11.Event) -> bytes:  # type: ignore[override]  # for a ConnectionClosed h11 gives None
        """The bytes to send for it. A response's head goes out with the first of its body, in one packet."""
        sent = super().send(event) or b""
        if isinstance(event, h11.Response):
            self._head = sent
            return b""
        head, self._head = self._head, b""
        return head + sent

    def _skips_a_line(self) -> bool:
        """Ignores one CRLF before a request, which old clients send behind a body (RFC 9112, 2.2). False: half of it is
        there.
        """
        begun = self.trailing_data[0][:2]
        if begun == b"\r\n":
            self._receive_buffer.maybe_extract_at_most(2)
        if begun not in (b"", b"\r"):
            self._at_a_line_to_skip = False
        return begun != b"\r"


def _check_lines(read: bytes) -> None:
    """Raises RemoteProtocolError. `read`: the bytes of a head, or of a chunked body's last lines."""
    if len(read) > MOST_HEAD:
        raise h11.RemoteProtocolError("the headers are too long", error_status_hint=431)
    lines = read.count(b"\r\n")
    if read.count(b"\n") != lines or read.count(b"\r") != lines:
        raise h11.RemoteProtocolError("a line ends with CR or LF alone")
    if b"\r\n " in read or b"\r\n\t" in read:
        raise h11.RemoteProtocolError("a header is folded")


def _check_framing(request: h11.Request, head: bytes) -> None:
    """Raises RemoteProtocolError when it is not said once, and in one way, how long the body is, or it is no HTTP/1."""
    if not request.http_version.startswith(b"1."):
        raise h11.RemoteProtocolError("that is another HTTP")
    lengths = [line for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"]
    if len(lengths) > 1 or b"," in b"".join(lengths):
        raise h11.RemoteProtocolError("Content-Length comes twice")
    if any(name == b"transfer-encoding" for name, _ in request.headers):
        if lengths:
            raise h11.RemoteProtocolError("Content-Length beside Transfer-Encoding")
        if request.http_version < b"1.1":
            raise h11.RemoteProtocolError("Transfer-Encoding needs HTTP/1.1")


def _without_host(request: h11.Request) -> h11.Request:
    """One in absolute form as we read it: its path and query, and as `Host` what its target names (RFC 9112, 3.2.2)."""
    found = _ABSOLUTE.fullmatch(request.target)
    if found is None:
        return request
    host, path, query = found.groups(b"")
    others = [(name, value) for name, value in request.headers.raw_items() if name.lower() != b"host"]
    return h11.Request(
        method=request.method,
        headers=[(b"Host", host), *others],
        target=(path or b"/") + query,
        http_version=request.http_version,
    )

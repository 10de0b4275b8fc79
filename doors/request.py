"""What a request brings along besides its business: its id, its trace, and who is at the other end of the wire."""

from __future__ import annotations

import ipaddress
import re
import secrets

from starlette.requests import HTTPConnection
from starlette.types import Scope

from doors.cards import find_card_number

_REQUEST_ID = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip")


def request_id(request: HTTPConnection) -> str:
    """The caller's `Request-Id`, or the one we made; also on the answer and in every log line."""
    return scope_request_id(request.scope)


def scope_request_id(scope: Scope) -> str:
    found = scope.get("state", {}).get("request_id")
    return found if isinstance(found, str) else "unknown"


def traceparent(request: HTTPConnection) -> str | None:
    """The W3C trace context that came with the request, when it is a valid one; carried on in the messages."""
    found = request.scope.get("state", {}).get("traceparent")
    return found if isinstance(found, str) else None


def single_header(scope: Scope, name: bytes) -> str | None:
    """The header's text (UTF-8, else Latin-1) when it came exactly once, else None. `name` in lower case."""
    found = [value for key, value in scope["headers"] if key == name]
    return header_text(found[0]) if len(found) == 1 else None


def header_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def taken_request_id(text: str | None) -> str:
    """The caller's id when it is 1 to 128 printable ASCII characters (and no card number), else a new one."""
    if text is not None and _REQUEST_ID.fullmatch(text) and not find_card_number(text):
        return text
    return f"req_{secrets.token_hex(16)}"


def taken_traceparent(text: str | None) -> str | None:
    """A valid W3C version 00 trace context, else None (then a trace simply begins here).

    A span id of 16 digits can be a card number, by bad luck or bad will: such a one is not carried on.
    """
    match = _TRACEPARENT.fullmatch(text) if text is not None else None
    return None if match is None or find_card_number(match.group(1)) else match.group()


def address(scope: Scope) -> str:
    """The client's address for counting: IPv4 whole, IPv6 by its /64 (one household has a whole one)."""
    client = scope.get("client")
    host = str(client[0]) if client else "unknown"
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


def is_loopback(request: HTTPConnection) -> bool:
    """True for a caller on this very machine; one that a proxy here speaks for is somewhere else."""
    if any(name in _FORWARDED for name, _ in request.scope["headers"]):
        return False
    client = request.scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def bearer(scope: Scope) -> str | None:
    """The token of the one `Authorization: Bearer` header; None without any. ValueError: it is malformed, or two."""
    if not any(name == b"authorization" for name, _ in scope["headers"]):
        return None
    scheme, _, token = (single_header(scope, b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ValueError("Authorization is one header of the form `Bearer TOKEN`")
    return token.strip()

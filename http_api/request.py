"""What is read of every request besides its content: request id, trace context, origin, bearer token."""

from __future__ import annotations

import ipaddress
import random
import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import HTTPConnection
from starlette.types import Scope

from http_api.card_numbers import find_card_number

_REQUEST_ID = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_HOST = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
_OF_TOOLS = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"authorization", b"cache-control", b"connection", b"host",
        b"pragma", b"request-id", b"traceparent", b"tracestate", b"user-agent", b"x-prometheus-scrape-timeout-seconds",
    }
)  # fmt: skip
"""What curl, Prometheus and probes send of themselves. Proxies have too many names for what they add."""


def request_id(request: HTTPConnection) -> str:
    """The client's `Request-Id`, or the one we made; also on the response and in every log line."""
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


_drawn = random.Random()  # noqa: S311  # names protect nothing; asking the system each time took a tenth of an opening


def accepted_request_id(text: str | None) -> str:
    """The client's id when it is 1 to 128 printable ASCII characters (and no card number), else a new one."""
    if text is not None and _REQUEST_ID.fullmatch(text) and not find_card_number(text):
        return text
    return f"req_{_drawn.getrandbits(128):032x}"


def accepted_traceparent(text: str | None) -> str | None:
    """A valid W3C version 00 trace context, else None (then a trace simply begins here).

    It is kept in the Clerk and its messages. One that holds a card number, by chance or on purpose, is not carried on.
    """
    valid = text is not None and _TRACEPARENT.fullmatch(text) is not None
    return text if valid and text is not None and not find_card_number(text) else None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from, as texts for counting: see `origin`."""

    address: str
    network: str


UNKNOWN = Origin("unknown", "unknown")


def origin(scope: Scope) -> Origin:
    """Whom a caller without a key is counted as (security S4).

    `address`: an IPv4 address, or the /64 that every household with IPv6 has. `network`: the /48 that one customer of
    a provider may have; for IPv4 the address again (docs/decisions/056 says why no larger part of it).
    """
    client = scope.get("client")
    return _origin_of(str(client[0]) if client else UNKNOWN.address)


@lru_cache(maxsize=1000)
def _origin_of(host: str) -> Origin:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return Origin(host[:64], host[:64])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return Origin(_subnet(found, 64), _subnet(found, 48))
        found = found.ipv4_mapped
    return Origin(str(found), str(found))


def _subnet(of: ipaddress.IPv6Address, bits: int) -> str:
    return str(ipaddress.ip_network((int(of) >> (128 - bits) << (128 - bits), bits)))


def address_prefix(scope: Scope) -> str:
    """The network that the client calls from, for a record that is kept: an IPv4 /24, or an IPv6 /48."""
    client = scope.get("client")
    try:
        found = ipaddress.ip_address(str(client[0]) if client else "")
    except ValueError:
        return "an unknown address"
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def is_loopback(request: HTTPConnection) -> bool:
    """Does the call come from this machine, and is it to this machine? Then nobody else sees the answer.

    False with any header that tools do not send of themselves: for what a proxy on this machine passes on. And for
    a browser that was led here by somebody's host name (DNS rebinding). nginx names the proxy neither in a header nor
    in `Host` unless it is told to, but speaks HTTP/1.0 then.
    """
    scope = request.scope
    if any(name not in _OF_TOOLS for name, _ in scope["headers"]) or scope.get("http_version") == "1.0":
        return False
    if _HOST.fullmatch(single_header(scope, b"host") or "") is None:
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

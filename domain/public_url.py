"""The address under which the outside reaches the shop, as CLERK_PUBLIC_URL says: `https://shop.example/orders`. Pure.

It settles what no request can be believed about: the scheme, the name, and the path in front of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_PORTS = {"http": 80, "https": 443}
OWN = frozenset(
    {"dashboard", "dev", "docs", "fulfillment", "health", "metrics", "openapi.json", "ops", "payment", "risk", "shop"}
)
"""Where our own paths begin: a prefix that begins so could not be told from them."""


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """`host` has the port, unless it is the scheme's own; `prefix` begins with a slash, or is empty.

    Without a host nothing is known, and each request is believed about where it was sent.
    """

    scheme: str = ""
    host: str = ""
    prefix: str = ""

    @property
    def is_known(self) -> bool:
        return bool(self.host)

    @property
    def origin(self) -> str:
        """As a browser writes it in `Origin`."""
        return f"{self.scheme}://{self.host}"

    def path(self, own: str) -> str:
        """The path that the outside asks for, from one of ours. Paths of somewhere else, and done ones, stay."""
        ours = own.startswith("/") and not own.startswith("//")
        return own if not ours or self._has_prefix(own) else self.prefix + own

    def own_path(self, path: str) -> str:
        """Our path, from one that may have the prefix."""
        return path[len(self.prefix) :] or "/" if self.prefix and self._has_prefix(path) else path

    def _has_prefix(self, path: str) -> bool:
        return path == self.prefix or path.startswith(f"{self.prefix}/") if self.prefix else True


def read_public_url(url: str) -> PublicAddress:
    """`""` is the address that is not known. ValueError says what is wrong."""
    if not url:
        return PublicAddress()
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        raise ValueError("it is no address: allowed is https://NAME, with a port and a path if need be") from None
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if parts.scheme not in _PORTS or not _HOST.fullmatch(name) or port == 0:
        raise ValueError("it is no address: allowed is https://NAME, with a port and a path if need be")
    if parts.username is not None or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("allowed are scheme, name, port and path, and nothing else")
    prefix = parts.path.rstrip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("the path may have letters, digits and -._~ between its slashes")
    if prefix.split("/")[1:2] and prefix.split("/")[1] in OWN:
        raise ValueError(f"the path must not begin with one of ours: {', '.join(sorted(OWN))}")
    host = name if port in (None, _PORTS[parts.scheme]) else f"{name}:{port}"
    return PublicAddress(parts.scheme, host, prefix)

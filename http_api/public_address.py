"""Middleware: behind a proxy with a path of its own, the application sees its own paths, the outside the whole ones.

It does not matter whether the proxy takes the prefix off. What else it settles: docs/decisions/058.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.public_url import PublicAddress

_LEADS = (b"location", b"hx-redirect")
"""Headers that hold a path."""
_NOT_KNOWN = PublicAddress()


def public_address(scope: Scope) -> PublicAddress:
    """The public address of the application that this request came to."""
    found = getattr(scope["app"].state, "public_address", None) if "app" in scope else None
    return found if isinstance(found, PublicAddress) else _NOT_KNOWN


class PublicAddressMiddleware:
    """Outermost: takes the prefix off the path, and puts it in front of the paths that answers lead to."""

    def __init__(self, app: ASGIApp, address: PublicAddress) -> None:
        self.app = app
        self.address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.address.prefix:
            await self.app(scope, receive, send)
            return

        async def send_with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [self._led(*header) for header in message.get("headers", [])]}
            await send(message)

        await self.app({**scope, **self._own(scope)}, receive, send_with_prefix)

    def _own(self, scope: Scope) -> dict[str, object]:
        path = self.address.own_path(scope["path"])
        if path == scope["path"]:
            return {}
        prefix = self.address.prefix.encode()
        raw: bytes = scope.get("raw_path") or b""
        own = (raw[len(prefix) :] or b"/") if raw.startswith(prefix) else quote(path).encode()
        return {"path": path, "raw_path": own}

    def _led(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        return (name, self.address.path(value.decode("latin-1")).encode("latin-1")) if name in _LEADS else (name, value)

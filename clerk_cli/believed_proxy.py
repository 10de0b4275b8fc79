"""Where a call comes from, as a proxy says that is believed (FORWARDED_ALLOW_IPS)."""

from __future__ import annotations

import ipaddress
import os
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

ALLOWED = "FORWARDED_ALLOW_IPS"
_PEER = "clerk.peer"


class BelievedProxy:
    """Uvicorn reads the headers. Where they name something that is no address, the call comes from the proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        check: Any = self._check  # uvicorn has types of its own for the same protocol
        self._reads_headers: Any = ProxyHeadersMiddleware(check, os.environ.get(ALLOWED, "127.0.0.1"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._reads_headers({**scope, _PEER: scope.get("client")}, receive, send)

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer, client = scope.pop(_PEER), scope.get("client")
        if client is not None and not _is_address(str(client[0])):
            scope["client"] = peer
        await self._app(scope, receive, send)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

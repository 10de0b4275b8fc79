"""HEAD wherever GET is, OPTIONS everywhere, and the methods that an address really knows (RFC 9110).

The first route that matches says which address it is: `/payment/provider-events` is no payment, though
`/payment/{session}` would match it too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from http_api.http_figures import note_route

_HEAD = "clerk.head"
_KNOWN = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}


@dataclass(frozen=True, slots=True)
class _Address:
    """A path of the application, with the methods of all its routes; none where it takes whatever comes."""

    template: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


class MethodsMiddleware:
    """Innermost. HEAD goes on as GET: the server sends the headers of that answer, and nothing of its body.

    OPTIONS is answered with `Allow`, unless a route takes it itself. A method that nobody knows, or that the address
    does not, is refused as TRACE is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and scope["path"] == "*":  # the server as a whole
            await Response(status_code=204)(scope, receive, send)
            return
        address = _address_of(scope)
        if address is not None:
            note_route(scope, address.template)
        methods = address.methods if address is not None else frozenset()
        if scope["method"] == "OPTIONS" and methods and "OPTIONS" not in methods:
            await Response(status_code=204, headers=allow_header(scope))(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET", _HEAD: True}
        if scope["method"] not in (methods or _KNOWN):
            scope = {**scope, "method": "TRACE"}
        await self.app(scope, receive, send)


def is_head(scope: Scope) -> bool:
    """Was it HEAD that has gone on as GET?"""
    return _HEAD in scope


def allow_header(scope: Scope) -> dict[str, str]:
    """`Allow` with the methods of this address."""
    methods = _methods_of(scope) | {"OPTIONS"}
    return {"Allow": ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))}


def _methods_of(scope: Scope) -> frozenset[str]:
    found = _address_of(scope)
    return found.methods if found is not None else frozenset()


def _address_of(scope: Scope) -> _Address | None:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return next((address for address in _addresses(scope) if address.pattern.match(path)), None)


def _addresses(scope: Scope) -> Sequence[_Address]:
    """Those of the application, in the order in which they are looked at; read from its routes once."""
    if "app" not in scope:  # the middleware stands around something else
        return ()
    state = scope["app"].state
    if not hasattr(state, "addresses"):
        patterns: dict[str, re.Pattern[str]] = {}
        methods: dict[str, set[str]] = {}
        for route in iter_route_contexts(scope["app"].routes):
            patterns.setdefault(str(route.path), route.path_regex)
            methods.setdefault(str(route.path), set()).update(route.methods or ())
        state.addresses = [_Address(path, pattern, frozenset(methods[path])) for path, pattern in patterns.items()]
    addresses: Sequence[_Address] = state.addresses
    return addresses

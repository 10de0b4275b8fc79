"""The front: passes calls for the other services on to them, so that ShopManager's door is the only one published.

Used by `clerk serve shop_manager` when the services' URLs are set; the embedded shop has all routers itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import httpx
import structlog
from fastapi import APIRouter, Depends, Request, Response

from doors.problems import Problem, not_found

PATHS = {
    "shop": ("/shop/products", "/shop/carts"),
    "risk": ("/risk",),
    "payment": ("/payment",),
    "fulfillment": ("/fulfillment",),
}
"""What belongs to whom. Health and figures are not among it: each service shows these to its own machine only."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
TIMES = httpx.Timeout(40.0, connect=2.0, pool=5.0)
"""Seconds; a payment may take its time."""

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_ASKED = _HOP_BY_HOP | {
    "host",
    "content-length",
    "accept-encoding",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "request-id",
    "traceparent",
}
_NOT_ANSWERED = _HOP_BY_HOP | {"content-length", "content-encoding", "server", "date", "request-id"}
log = structlog.get_logger()


async def whole_body(request: Request) -> bytes:
    """The body as it came; the guards around us have checked and measured it."""
    return await request.body()


def front_router(urls: Mapping[str, str], *, transport: httpx.BaseTransport | None = None) -> APIRouter:
    """Routes to the services named in `urls` (service → `http://HOST:PORT`); `transport` replaces the network."""
    router = APIRouter(include_in_schema=False)
    for service, url in urls.items():
        client = httpx.Client(base_url=url, timeout=TIMES, trust_env=False, follow_redirects=False, transport=transport)
        for path in PATHS[service]:
            _add_route(router, service, client, path)
    return router


def _add_route(router: APIRouter, service: str, client: httpx.Client, path: str) -> None:
    def forward(request: Request, body: Annotated[bytes, Depends(whole_body)]) -> Response:
        return pass_on(service, client, request, body)

    for pattern in (path, f"{path}/{{rest:path}}"):
        router.add_api_route(pattern, forward, methods=METHODS, name=f"{service} by the front", response_model=None)


def pass_on(service: str, client: httpx.Client, request: Request, body: bytes) -> Response:
    """The service's own answer; Problem 503 while it cannot be reached."""
    try:
        # As bytes: a caller's header may be other than ASCII, and goes on as it came.
        headers = [(name.encode(), value.encode("latin-1")) for name, value in asked_headers(request)]
        answer = client.request(request.method, target(request), headers=headers, content=body)
    except httpx.TransportError as error:
        log.warning("service_not_reached", reached_for=service, trouble=f"{type(error).__name__}: {error}")
        raise Problem("service_unavailable", f"The {service} service cannot be reached at the moment.") from None
    response = Response(answer.content, answer.status_code)
    for name, value in kept(answer.headers.multi_items(), _NOT_ANSWERED):
        response.headers.append(name, value)
    return response


def target(request: Request) -> str:
    """Path and query as they came. Problem 404 for a path with dots in it that would lead out of what is forwarded."""
    if any(part in (".", "..") for part in request.scope["path"].replace("\\", "/").split("/")):
        raise not_found()
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def asked_headers(request: Request) -> list[tuple[str, str]]:
    """The caller's headers, without those that end here, and with our own word on who is calling."""
    ours = {
        "accept-encoding": "identity",
        "x-forwarded-for": request.client.host if request.client else "",
        "x-forwarded-proto": request.url.scheme,
        "request-id": getattr(request.state, "request_id", None),
        "traceparent": getattr(request.state, "traceparent", None),
    }
    return [
        *kept(request.headers.items(), _NOT_ASKED),
        *((name, value) for name, value in ours.items() if value),
    ]


def kept(headers: Iterable[tuple[str, str]], dropped: frozenset[str]) -> list[tuple[str, str]]:
    """Those that are not among `dropped`, nor named by `Connection` as meant for this hop only."""
    pairs = [(name.lower(), value) for name, value in headers]
    hop = {name.strip().lower() for key, value in pairs if key == "connection" for name in value.split(",")}
    return [(name, value) for name, value in pairs if name not in dropped and name not in hop]

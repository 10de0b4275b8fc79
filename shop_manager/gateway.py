"""The gateway, a reverse proxy: passes requests to the other services, so only ShopManager's API must be published.

Used by `clerk serve shop_manager` when the services' URLs are set; the embedded shop has all routers itself. It is
asynchronous, so a service that hangs holds no thread, and each service has places of its own (decision 052), which are
shared out fairly (decision 084).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Annotated

import httpx
import structlog
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from http_api.bulkhead import Bulkhead, Caller
from http_api.outgoing_tls import authorities
from http_api.problems import Problem, not_found
from http_api.routes import Routes
from http_api.shop_offers import resolved_query
from http_api.verified_callers import VerifiedCallers

PATHS = {
    "shop": ("/shop/products", "/shop/carts"),
    "risk": ("/risk",),
    "payment": ("/payment",),
    "fulfillment": ("/fulfillment",),
}
"""The paths of each service. Health and metrics are not forwarded: services show these on their own machine only."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
"""With HEAD, which comes as GET, all that there are: the service says which of them an address knows."""
PLACES = 16
"""Requests that are passed on to one service at the same time. Payment lets twelve of its own wait."""
PLACE_WITHIN = 1.0
"""Seconds that a request waits for a place."""
CONNECT_WITHIN = 1.0
ANSWER_WITHIN = 10.0
"""Seconds for the whole answer. A service waits six at most: for a payment to arrive, then for the provider."""

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
_NOT_FORWARDED = _HOP_BY_HOP | {
    "host",
    "origin",  # which origin may read an answer is said where a browser asks: here
    "access-control-request-method",
    "access-control-request-headers",
    "content-length",
    "accept-encoding",
    "expect",  # answered here
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "request-id",
    "traceparent",
}
_NOT_RETURNED = _HOP_BY_HOP | {"content-length", "content-encoding", "server", "date", "request-id"}
log = structlog.get_logger()


async def whole_body(request: Request) -> bytes:
    """The body as it came; the middleware has checked and measured it."""
    return await request.body()


class Service:
    """One service behind the gateway. `transport` replaces the network."""

    def __init__(self, name: str, url: str, places: int, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.name = name
        self.bulkhead = Bulkhead(places, PLACE_WITHIN)
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN),
            limits=httpx.Limits(max_connections=places, max_keepalive_connections=places, keepalive_expiry=30.0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one caller's cookie is not another's
            trust_env=False,
            verify=authorities(),
            follow_redirects=False,
            transport=transport,
        )

    async def ask(
        self, caller: Caller, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> httpx.Response:
        """Its answer; Problem 503 when there is none in time."""
        away = Problem("service_unavailable", f"The {self.name} service cannot be reached at the moment.")
        async with self.bulkhead.place(caller, away):
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    return await self._client.request(method, target, headers=headers, content=body)
            except (httpx.TransportError, TimeoutError) as error:
                log.warning("service_not_reached", reached_for=self.name, trouble=f"{type(error).__name__}: {error}")
                raise away from None


class GatewayFigures(Collector):
    """The places of each service, for `/metrics`."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        held = _gauge_by_target("clerk_gateway_places_in_use", "Requests that are passed on just now.")
        waiting = _gauge_by_target("clerk_gateway_places_waiting", "Requests that wait for a place.")
        most = _gauge_by_target("clerk_gateway_places_max", "As many may be passed on at a time.")
        for service in self._services:
            held.add_metric([service.name], service.bulkhead.held)
            waiting.add_metric([service.name], service.bulkhead.waiting)
            most.add_metric([service.name], service.bulkhead.most)
        yield from (held, waiting, most)


def _gauge_by_target(name: str, says: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=["target"])


def services_behind(
    urls: Mapping[str, str], places: int = PLACES, *, transport: httpx.AsyncBaseTransport | None = None
) -> list[Service]:
    """The services named in `urls` (service → `http://HOST:PORT`), each with so many places."""
    return [Service(name, url, places, transport) for name, url in urls.items()]


def gateway_router(services: Sequence[Service]) -> APIRouter:
    """Routes to these services."""
    router, callers = Routes(include_in_schema=False), VerifiedCallers()
    for service in services:
        for path in PATHS[service.name]:
            _add_route(router, service, path, callers)
    return router


def _add_route(router: APIRouter, service: Service, path: str, callers: VerifiedCallers) -> None:
    async def forward(request: Request, body: Annotated[bytes, Depends(whole_body)]) -> Response:
        caller = await callers.caller_of(request)
        return await pass_on(service, caller, request, body, await resolved_query(request))

    for pattern in (path, f"{path}/{{rest:path}}"):
        router.add_api_route(
            pattern, forward, methods=METHODS, name=f"{service.name} via the gateway", response_model=None
        )


async def pass_on(service: Service, caller: Caller, request: Request, body: bytes, query: bytes) -> Response:
    """The response of the service to this query; Problem 503 while it cannot be reached."""
    # As bytes: a client's header may be other than ASCII, and goes on as it came.
    headers = [(name.encode(), value.encode("latin-1")) for name, value in forwarded_headers(request)]
    answer = await service.ask(caller, request.method, target(request, query), headers, body)
    response = Response(answer.content, answer.status_code)
    for name, value in kept(answer.headers.multi_items(), _NOT_RETURNED):
        response.headers.append(name, value)
    return response


def target(request: Request, query: bytes) -> str:
    """Path as it came, and query. Problem 404 for a path with dots in it that would lead out of what is forwarded."""
    if any(part in (".", "..") for part in request.scope["path"].replace("\\", "/").split("/")):
        raise not_found()
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def forwarded_headers(request: Request) -> list[tuple[str, str]]:
    """The client's headers, without those for this hop only, and with our own word on which address it calls from."""
    ours = {
        "accept-encoding": "identity",
        "x-forwarded-for": request.client.host if request.client else "",
        "x-forwarded-proto": request.url.scheme,
        "request-id": getattr(request.state, "request_id", None),
        "traceparent": getattr(request.state, "traceparent", None),
    }
    return [
        *kept(request.headers.items(), _NOT_FORWARDED),
        *((name, value) for name, value in ours.items() if value),
    ]


def kept(headers: Iterable[tuple[str, str]], dropped: frozenset[str]) -> list[tuple[str, str]]:
    """Those that are not among `dropped`, nor named by `Connection` as meant for this hop only."""
    pairs = [(name.lower(), value) for name, value in headers]
    hop = {name.strip().lower() for key, value in pairs if key == "connection" for name in value.split(",")}
    return [(name, value) for name, value in pairs if name not in dropped and name not in hop]

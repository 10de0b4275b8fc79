"""Is this service alive, is it ready, and its figures: `/health/live`, `/health/ready`, `/metrics`.

Checks and figures are for keys and for calls from this machine; everybody else sees the status only (security S7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from domain.version import VERSION
from http_api.answers import Liveness, Readiness
from http_api.documented import ANY_KEY, documented
from http_api.principals import NOBODY, Kind, Principal, principal_or_monitoring, require_kind
from http_api.problems import Problem
from http_api.request import is_loopback
from http_api.routes import Routes
from messaging.database_errors import DATABASE_ERRORS
from messaging.health_check import HealthCheck

WHO_WITHIN = 2.0
"""Seconds that readiness waits for who is asking."""
WHO_WITHIN_UNWELL = 0.5
"""The same while the database is not well."""
Checks = Mapping[str, HealthCheck]
KEYS = ("unauthorized", "service_unavailable")
SEE_FIGURES: tuple[Kind, ...] = ("server", "warehouse", "operator", "monitoring")
TEXT = {"text/plain": {"schema": {"type": "string"}}}


class OneLook:
    """The checks, run by one thread of its own: all who ask meanwhile get what this look finds."""

    def __init__(self, checks: Callable[[], Checks]) -> None:
        self._checks = checks
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._running: asyncio.Future[Checks] | None = None

    async def found(self) -> Checks:
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().run_in_executor(self._threads, self._checks)
        return await asyncio.shield(self._running)


def health_router(checks: Callable[[], Checks], registry: CollectorRegistry) -> APIRouter:
    """`checks` is called for `/health/ready`, by name: database, broker, consumer, last_tick. It must be quick.

    `registry` is this service's own, never the process-wide one: several services may share a process. Liveness needs
    no thread, readiness and figures only their own: they answer while all the others wait for a database that hangs.
    """
    router = Routes(tags=["health"])
    look = OneLook(checks)
    threads = ThreadPoolExecutor(2, thread_name_prefix="readiness-who")
    scraping = ThreadPoolExecutor(2, thread_name_prefix="metrics")

    async def caller(request: Request, found: Checks) -> Principal:
        """Who asks; nobody when that cannot be found out: the database is not well, or ShopManager is away."""
        context = copy_context()
        asked = asyncio.get_running_loop().run_in_executor(threads, context.run, principal_or_monitoring, request)
        well = all(check.ok for name, check in found.items() if name == "database")
        try:
            async with asyncio.timeout(WHO_WITHIN if well else WHO_WITHIN_UNWELL):
                return await asked
        except (TimeoutError, *DATABASE_ERRORS):
            return NOBODY
        except Problem as problem:
            if problem.known.status != 503:
                raise
            return NOBODY

    def figures(request: Request) -> Response:
        if not _may_see(request, principal := principal_or_monitoring(request)):
            require_kind(principal, *SEE_FIGURES)
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @router.get("/health/live", **documented(Liveness, says="It is alive."))
    async def read_liveness() -> dict[str, str]:
        """The process answers; nothing else is looked at."""
        return {"status": "ok"}

    @router.get(
        "/health/ready",
        **documented(
            Readiness,
            says="It is ready.",
            likewise={503: "It is not ready."},
            problems=KEYS,
            shown_by=ANY_KEY,
            anybody=True,
        ),
    )
    async def read_readiness(request: Request, response: Response) -> dict[str, Any]:
        """200 `ready` when every check is well, else 503 `not_ready`."""
        found = await look.found()
        well = all(check.ok for check in found.values())
        response.status_code = 200 if well else 503
        status = {"status": "ready" if well else "not_ready", "version": VERSION}
        if not _may_see(request, await caller(request, found)):
            return status
        return {**status, "checks": {name: check.as_json() for name, check in found.items()}}

    @router.get(
        "/metrics",
        response_class=Response,
        **documented(says="The figures.", content=TEXT, problems=[*KEYS, "forbidden"], shown_by=ANY_KEY),
    )
    async def read_metrics(request: Request) -> Response:
        """The figures, in Prometheus' text form."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(scraping, context.run, figures, request)

    return router


def _may_see(request: Request, principal: Principal) -> bool:
    """Who shows a key; and this machine, unless a proxy is known to stand before us: then nobody is sure to be here."""
    state = request.app.state
    from_outside = state.behind_proxy or state.public_address.is_known
    return principal.kind in SEE_FIGURES or (not from_outside and is_loopback(request))

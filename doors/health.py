"""Is this service alive, is it ready, and its figures: `/health/live`, `/health/ready`, `/metrics`.

Details and figures are for callers on this machine or with a key; anybody else sees the bare status (security S7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from doors.callers import Caller, caller
from doors.problems import Problem
from doors.request import is_loopback

Whoever = Annotated[Caller, Depends(caller)]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a service needs. `detail`: one line without secrets; `age_seconds`: since the last time it was seen."""

    ok: bool
    detail: str = "ok"
    age_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"ok": self.ok, "detail": self.detail}
        return shown if self.age_seconds is None else {**shown, "age_seconds": round(self.age_seconds, 3)}


def health_router(checks: Callable[[], Mapping[str, Check]], registry: CollectorRegistry) -> APIRouter:
    """`checks` is called for each `/health/ready`, by name: database, broker, consumer, last_tick. It must be quick.

    `registry` is this service's own, never the process-wide one: several services may share a process.
    """
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    def live() -> dict[str, str]:
        """The process answers; nothing else is looked at."""
        return {"status": "ok"}

    @router.get("/health/ready")
    def ready(request: Request, response: Response, who: Whoever) -> dict[str, Any]:
        """200 `ready` when every check is well, else 503 `not_ready`."""
        found = checks()
        well = all(check.ok for check in found.values())
        response.status_code = 200 if well else 503
        status = {"status": "ready" if well else "not_ready"}
        if not _may_see(request, who):
            return status
        return {**status, "checks": {name: check.as_json() for name, check in found.items()}}

    @router.get("/metrics", response_class=Response)
    def metrics(request: Request, who: Whoever) -> Response:
        """The figures, in Prometheus' text form."""
        if not _may_see(request, who):
            raise Problem("unauthorized" if who.kind == "nobody" else "forbidden")
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def _may_see(request: Request, who: Caller) -> bool:
    return who.kind in ("server", "warehouse", "operator") or is_loopback(request)

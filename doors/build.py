"""One service's HTTP application, put together: routers, guards, errors, health, offline docs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, FastAPI
from starlette.types import Lifespan

from domain.version import VERSION
from doors.answering import ProblemPage
from doors.docs_offline import docs_router
from doors.furnish import furnish
from doors.keys import KeyRing
from doors.limits import Limits
from doors.openapi import DEFAULT_ANSWER, describe_errors


def service_app(
    title: str,
    routers: Sequence[APIRouter],
    keys: KeyRing,
    *,
    limits: Limits,
    health: APIRouter,
    pages_under: Mapping[str, ProblemPage] | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The whole application, e.g. `service_app("Shop Clerk: payment", [payment_router(till)], keys, …)`.

    `health` comes from `health_router`; below the paths of `pages_under` HTML forms are taken, and errors are pages
    for people; `clock` gives seconds.
    """
    app = FastAPI(
        title=title,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # a body without a Content-Type is read as JSON; the BodyGuard judges the others
        responses=DEFAULT_ANSWER,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would see paths before the CardGuard does
    )
    app.state.keys = keys
    app.state.problem_pages = dict(pages_under or {})
    for router in (health, *routers, docs_router(title)):
        app.include_router(router)
    furnish(app, limits=limits, known=keys.known, clock=clock, forms_under=tuple(app.state.problem_pages))
    describe_errors(app)
    return app

"""One service's HTTP application, put together: routers, middleware, errors, health, offline docs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import ASGIApp

from domain.public_url import PublicAddress
from domain.version import VERSION
from domain.web_origins import AllowedOrigins
from http_api.docs_offline import docs_router
from http_api.http_figures import HttpFigures, HttpFiguresMiddleware
from http_api.install_middleware import install_middleware
from http_api.keys import KeyCheck
from http_api.openapi import describe, operation_id
from http_api.openapi_parts import DESCRIPTION
from http_api.problem_response import ProblemPage
from http_api.public_address import PublicAddressMiddleware
from http_api.query_names import known_parameters_once
from http_api.rate_limits import Limits
from http_api.routes import add_routes
from http_api.unwanted_bodies import no_unknown_body


def service_app(
    title: str,
    routers: Sequence[APIRouter],
    keys: KeyCheck,
    *,
    limits: Limits,
    health: APIRouter,
    pages_under: Mapping[str, ProblemPage] | None = None,
    public: PublicAddress | None = None,
    behind_proxy: bool = False,
    origins: AllowedOrigins | None = None,
    around: Sequence[Callable[[ASGIApp], ASGIApp]] = (),
    also_described: Callable[[], Sequence[APIRouter]] = tuple,
    figures: HttpFigures | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The whole application, e.g. `service_app("Shop Clerk: payment", [payment_router(payments)], keys, …)`.

    `behind_proxy`: it is reached through a proxy.
    `health` comes from `health_router`; below the paths of `pages_under` HTML forms are accepted and errors
    are HTML pages; `public` is the address under which the outside reaches it; pages of these `origins` may call
    it from browsers; `around` are middleware inside all others; what `also_described` gives is in the OpenAPI document
    only, because the gateway passes it on; `figures` are kept of its requests; `clock` gives seconds.
    """
    app = FastAPI(
        title=title,
        version=VERSION,
        description=DESCRIPTION,
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,  # a body without a Content-Type is read as JSON; BodyMiddleware refuses the others
        dependencies=[Depends(known_parameters_once), Depends(no_unknown_body)],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would see paths before CardNumberMiddleware
    )
    public = public or PublicAddress()
    app.state.public_address = public
    app.state.behind_proxy = behind_proxy
    app.state.keys = keys
    app.state.problem_pages = dict(pages_under or {})
    every = [health, *routers, docs_router(title)]
    add_routes(app, every)
    for middleware in around:
        app.add_middleware(middleware)
    install_middleware(
        app,
        limits=limits,
        known=keys.known,
        clock=clock,
        forms_under=tuple(app.state.problem_pages),
        origins=origins,
    )
    app.add_middleware(PublicAddressMiddleware, address=public)
    if figures is not None:
        app.add_middleware(HttpFiguresMiddleware, figures=figures)
    describe(app, public, every, also_described)
    return app

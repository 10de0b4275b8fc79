"""Installs the middleware around an application, in the one order that is safe, and the exception handlers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fastapi import FastAPI

from domain.web_origins import AllowedOrigins
from http_api.cross_origin import CrossOriginMiddleware, PreflightMiddleware
from http_api.exception_handlers import install_exception_handlers
from http_api.methods import MethodsMiddleware
from http_api.middleware import BodyMiddleware, CardNumberMiddleware, RateLimitMiddleware
from http_api.rate_limits import Limits
from http_api.request_context import RequestContextMiddleware
from http_api.url_text import UrlTextMiddleware
from http_api.wrong_keys import WrongKeys


def _nobody_known(_token: str) -> bool:
    return False


def install_middleware(
    app: FastAPI,
    *,
    limits: Limits,
    known: Callable[[str], bool] = _nobody_known,
    clock: Callable[[], float] = time.monotonic,
    forms_under: Sequence[str] = (),
    origins: AllowedOrigins | None = None,
) -> None:
    """From outside to inside: origins, request context, preflights, rate limit, card numbers, text of the address,
    body, methods, the application.

    `known` is `KeyRing.known`; `clock` gives seconds; below `forms_under` HTML forms are accepted as bodies; pages of
    these `origins` may call.
    """
    install_exception_handlers(app)
    app.state.wrong_keys = WrongKeys(clock, limits.clients)
    app.add_middleware(MethodsMiddleware)
    app.add_middleware(BodyMiddleware, limits=limits, forms_under=forms_under)
    app.add_middleware(UrlTextMiddleware)
    app.add_middleware(CardNumberMiddleware)
    app.add_middleware(RateLimitMiddleware, limits=limits, known=known, clock=clock)
    if origins:
        app.add_middleware(PreflightMiddleware, origins=origins)
    app.add_middleware(RequestContextMiddleware)
    if origins:
        app.add_middleware(CrossOriginMiddleware, origins=origins)

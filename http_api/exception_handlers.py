"""Exceptions as HTTP responses: a Problem, a validation error, a database that is away; everything else is a 500."""

from __future__ import annotations

import traceback
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from http_api.card_numbers import find_card_number
from http_api.methods import allow_header
from http_api.problem_response import response
from http_api.problems import Problem
from http_api.validation_errors import wrong_fields

_log = structlog.get_logger("http_api")
_BY_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "overloaded",
}


def install_exception_handlers(app: FastAPI) -> None:
    """Registers the handlers. What none of them takes reaches RequestContextMiddleware, which answers 500."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (OperationalError, InterfaceError, TimeoutError, DBAPIError):
        app.add_exception_handler(kind, _database)


def describe(broken: BaseException) -> dict[str, Any]:
    """An exception for the log: kind, first line, places.

    SQLAlchemy and PostgreSQL put statements and values on the lines after the first: they may be secret.
    """
    said = (str(broken).splitlines() or [""])[0][:300]
    frames = traceback.extract_tb(broken.__traceback__)
    return {
        "error": type(broken).__name__,
        "said": "(not shown)" if find_card_number(said) else said,
        "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


async def _problem(request: Request, problem: Exception) -> Response:
    if not isinstance(problem, Problem):
        raise problem
    return response(problem, request.scope)


async def _invalid(request: Request, wrong: Exception) -> Response:
    if not isinstance(wrong, RequestValidationError):
        raise wrong
    return response(wrong_fields(wrong.errors()), request.scope)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = _BY_STATUS.get(error.status_code, "internal" if error.status_code >= 500 else "invalid_request")
    headers = allow_header(request.scope) if code == "method_not_allowed" else error.headers
    return response(Problem(code, headers=headers), request.scope)


async def _database(request: Request, error: Exception) -> Response:
    """Away, or too busy: 503. A statement that the database itself finds wrong is our fault: 500."""
    away = isinstance(error, OperationalError | InterfaceError | TimeoutError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
    if not away:
        raise error
    _log.warning("database unavailable", **describe(error))
    return response(Problem("database_unavailable"), request.scope)

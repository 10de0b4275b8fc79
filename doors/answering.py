"""Errors as HTTP answers, for the guards in front of the application, which have no exception handlers around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from doors.problems import MEDIA_TYPE, Problem
from doors.request import scope_request_id

ProblemPage = Callable[[Problem, Scope], Response]
"""An error as a page for people; an application has one for the paths below which browsers come (`service_app`)."""


def response(problem: Problem, scope: Scope) -> Response:
    """The error's RFC 9457 body; below `app.state.problem_pages` the page that people see."""
    pages: Mapping[str, ProblemPage] = getattr(scope["app"].state, "problem_pages", {}) if "app" in scope else {}
    for path, page in pages.items():
        if scope["path"] == path or scope["path"].startswith(f"{path}/"):
            return page(problem, scope)
    body = json.dumps(problem.body(scope_request_id(scope)), ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, problem.known.status, problem.headers, MEDIA_TYPE)


async def answer(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await response(problem, scope)(scope, receive, send)

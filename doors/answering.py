"""Errors as HTTP answers, for the guards in front of the application, which have no exception handlers around them."""

from __future__ import annotations

import json

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from doors.problems import MEDIA_TYPE, Problem
from doors.request import scope_request_id


def response(problem: Problem, scope: Scope) -> Response:
    body = json.dumps(problem.body(scope_request_id(scope)), ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, problem.known.status, problem.headers, MEDIA_TYPE)


async def answer(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await response(problem, scope)(scope, receive, send)

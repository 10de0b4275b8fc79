"""A Problem as an HTTP response. The middleware sends it itself, since no exception handler stands around it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from http_api.problems import MEDIA_TYPE, Problem
from http_api.public_address import public_address
from http_api.request import scope_request_id

OF_A_SESSION = re.compile(r"/(?:shop/session|shop/carts|payment|fulfillment)/(clk_[!-.0-~]{1,124})(?:/.*)?")
SAY_WHICH = frozenset({408, 409, 412, 413, 415, 422, 428, 429})
"""Statuses whose problems name the session of the address. A 401, 403 or 404 does not: it is the same for every id."""
ProblemPage = Callable[[Problem, Scope], Response]
"""Makes the HTML page that shows an error; an application has one for the paths that browsers use (`service_app`)."""


def response(problem: Problem, scope: Scope) -> Response:
    """The RFC 9457 response; below a path of `app.state.problem_pages` its HTML page instead."""
    pages: Mapping[str, ProblemPage] = getattr(scope["app"].state, "problem_pages", {}) if "app" in scope else {}
    for path, page in pages.items():
        if scope["path"] == path or scope["path"].startswith(f"{path}/"):
            return page(problem, scope)
    told = problem.body(scope_request_id(scope))
    told["session_id"] = problem.session_id or _session_of(problem, scope)
    told["type"] = public_address(scope).path(told["type"])
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, problem.known.status, problem.headers, MEDIA_TYPE)


def _session_of(problem: Problem, scope: Scope) -> str | None:
    """The session that the address names. An address that holds a card number is not told again."""
    if problem.known.status not in SAY_WHICH or (problem.code == "card_number_refused" and not problem.in_body):
        return None
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    found = OF_A_SESSION.fullmatch(path)
    return found[1] if found else None


async def problem_response(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await response(problem, scope)(scope, receive, send)

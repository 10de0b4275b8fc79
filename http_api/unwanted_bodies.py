"""Bodies of calls that take none: an empty one and `{}` are let pass, fields in it are unknown fields.

Only documented routes that write, as for queries (http_api/query_names.py). What the body of a GET says means nothing.
"""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import Request

from http_api.conventions import Body
from http_api.strict_json import read


class NoFields(Body):
    """The body of a call that takes none."""


async def no_unknown_body(request: Request) -> None:
    """A dependency of every route; RequestValidationError names the fields, as where a body is taken."""
    route = request.scope.get("route")
    if request.method == "GET" or not isinstance(route, APIRoute) or not route.include_in_schema or route.body_field:
        return
    if route.path.startswith(tuple(request.app.state.problem_pages)):  # where pages send their forms
        return
    body = await request.body()
    content: Any = read(body) if body else None
    if content is None:
        return
    try:
        NoFields.model_validate(content)
    except ValidationError as wrong:
        found = [{**error, "loc": ("body", *error["loc"])} for error in wrong.errors()]
        raise RequestValidationError(found) from None

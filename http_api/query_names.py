"""Which parameters a query may have: those that the route's documentation names, each once.

A misspelled filter that is ignored answers with everything; of one that comes twice, two servers take different ones.
Only documented routes: pages carry whatever their forms send, and the gateway's services look for themselves. Health
and metrics are asked by machines of others, which add what they like: an instance is not ill for that.
"""

from __future__ import annotations

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from http_api.problems import invalid

_FOR_MACHINES = ("/health/", "/metrics")
_SHOWN = 60
"""Characters of a parameter's name that an error tells."""


async def known_parameters_once(request: Request) -> None:
    """A dependency of every route, async because there is nothing to wait for; Problem 422 names the parameter."""
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    if route.path.startswith(_FOR_MACHINES):
        return
    known = query_names(route.dependant)
    for name in request.query_params:
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise invalid(name[:_SHOWN], f"there is no such parameter here; allowed: {allowed}")
        if len(request.query_params.getlist(name)) > 1:
            raise invalid(name, "the parameter comes twice")


def query_names(dependant: Dependant) -> list[str]:
    """The query parameters that a route and what it depends on take, in the order of its document."""
    inner = [name for each in dependant.dependencies for name in query_names(each)]
    return list(dict.fromkeys([*(each.alias for each in dependant.query_params), *inner]))

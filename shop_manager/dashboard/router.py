"""The dashboard put together: what its pages need, and their routes."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from doors.operators import Operators
from doors.problems import not_found
from shop_manager.dashboard.assets import assets_router
from shop_manager.dashboard.clerks import clerks_pages
from shop_manager.dashboard.entrance import HOME, entrance_router
from shop_manager.dashboard.health import Health
from shop_manager.dashboard.home import home_page
from shop_manager.dashboard.live import Live
from shop_manager.dashboard.logins import Logins
from shop_manager.dashboard.places import add_pages
from shop_manager.dashboard.pulse import pulse_of
from shop_manager.dashboard.shell import Shell
from shop_manager.dashboard.throttle import Throttle
from shop_manager.dashboard.views import views_routes
from shop_manager.dashboard.writes import read_form
from shop_manager.operations import Operations


def dashboard_router(operations: Operations, operators: Operators, doors: Mapping[str, str]) -> APIRouter:
    """Everything below `/dashboard`: files and the login page for everybody, all else for who is logged in.

    `doors` are the addresses of the services in other processes.
    """
    database, watch = operations.database, operations.reads.sessions.watch
    pulse = pulse_of(database)
    shell = Shell(Logins(operators), database, pulse)
    live = Live(shell, pulse, lambda: watch.closed)
    inside = APIRouter(prefix=HOME, dependencies=[Depends(read_form), Depends(shell.enter)], include_in_schema=False)
    live.add_route(inside)
    home_page(inside, shell, live, operations, Health(doors))
    clerks_pages(inside, shell, live, operations)
    views_routes(inside, operations.views)
    add_pages(inside, shell, live, operations)

    @inside.get("/")
    def home_with_a_slash() -> Response:
        return RedirectResponse(HOME, 308)

    @inside.get("/keys")
    def keys(request: Request) -> Response:
        return shell.page(request, "keys.html")

    @inside.get("/{rest:path}")
    def nothing(rest: str) -> Response:
        raise not_found()  # after `enter`: so that who is logged in keeps the navigation

    router = APIRouter(include_in_schema=False)
    for each in (assets_router(), entrance_router(shell, Throttle()), inside):
        router.include_router(each)
    return router

"""Puts the dashboard together: what its pages share, and the routes of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from http_api.openid_options import CALLBACK
from http_api.operators import Operators
from http_api.problems import not_found
from shop_manager.alerts.desk import AlertDesk
from shop_manager.dashboard.activity_page import activity_page
from shop_manager.dashboard.alerts_page import alerts_page
from shop_manager.dashboard.assets import assets_router
from shop_manager.dashboard.audit_page import audit_page
from shop_manager.dashboard.bulk_page import bulk_pages
from shop_manager.dashboard.checks_page import checks_page
from shop_manager.dashboard.clerk_page import clerk_page
from shop_manager.dashboard.clerks_page import clerks_pages
from shop_manager.dashboard.customer_page import customer_page
from shop_manager.dashboard.figures_page import figures_page
from shop_manager.dashboard.find_page import find_page
from shop_manager.dashboard.form_data import read_form
from shop_manager.dashboard.health import ServiceHealthReader
from shop_manager.dashboard.help_page import help_page
from shop_manager.dashboard.home_page import home_page
from shop_manager.dashboard.layout import Layout
from shop_manager.dashboard.live import LiveUpdates
from shop_manager.dashboard.login_pages import LoginPages, login_router
from shop_manager.dashboard.login_throttle import LoginThrottle
from shop_manager.dashboard.logins import Logins
from shop_manager.dashboard.named_page import named_page
from shop_manager.dashboard.pages_router import PagesRouter
from shop_manager.dashboard.parked_page import parked_pages
from shop_manager.dashboard.password_page import password_page
from shop_manager.dashboard.people_page import people_page
from shop_manager.dashboard.processes_page import processes_page
from shop_manager.dashboard.provider_pages import BEGIN, ProviderPages
from shop_manager.dashboard.return_paths import HOME
from shop_manager.dashboard.runbooks_page import runbooks_page
from shop_manager.dashboard.saved_views import saved_views_routes
from shop_manager.dashboard.settings_page import settings_page
from shop_manager.dashboard.status_banner import banner_reader
from shop_manager.operations.facade import Operations

if TYPE_CHECKING:
    from http_api.openid import OpenIdProvider


def dashboard_routers(
    operations: Operations,
    operators: Operators,
    urls: Mapping[str, str],
    desk: AlertDesk,
    provider: OpenIdProvider | None = None,
    *,
    trace_url: str = "",
) -> list[APIRouter]:
    """Everything below `/dashboard`: static files and the login page for everybody, all else after a login.

    `urls` are the addresses of the services in other processes; `provider` may vouch for operators.
    `trace_url`: where an order's trace is looked at (domain/trace_urls.py).
    """
    notifier = operations.reads.sessions.notifier
    read_banner = banner_reader(operations.reads)
    logins = Logins(operators, provider=provider.options.id if provider else "")
    layout = Layout(logins, operations.database, read_banner, operations.clocks, operations.mentions)
    live = LiveUpdates(layout, read_banner, lambda: notifier.closed, operations.open_pages)
    guarded = [Depends(read_form), Depends(layout.require_login)]
    pages = PagesRouter(operations.database, prefix=HOME, dependencies=guarded, include_in_schema=False)
    live.add_route(pages)
    home_page(pages, layout, live, operations, ServiceHealthReader(urls))
    _add_pages(pages, layout, live, operations)
    clerk_page(pages, layout, live, operations, trace_url)
    alerts_page(pages, layout, live, desk)
    throttle, audit = LoginThrottle(), operations.login_audit
    password_page(pages, layout, throttle, audit)
    _add_small_pages(pages, layout)
    entrance = login_router(LoginPages(layout, throttle, audit))
    elsewhere = ProviderPages(layout, provider, throttle, audit)
    entrance.add_api_route(BEGIN, elsewhere.begin, methods=["GET"])
    entrance.add_api_route(BEGIN, elsewhere.begin_with_act, methods=["POST"])
    entrance.add_api_route(CALLBACK, elsewhere.come_back, methods=["GET"])
    return [assets_router(), entrance, pages]


def _add_pages(router: APIRouter, layout: Layout, live: LiveUpdates, operations: Operations) -> None:
    clerks_pages(router, layout, live, operations)
    customer_page(router, layout, operations)
    named_page(router, layout, operations.mentions)
    find_page(router, layout, operations.reads)
    saved_views_routes(router, operations.views)
    activity_page(router, layout, live, operations.reads)
    parked_pages(router, layout, operations)
    processes_page(router, layout, operations.reads)
    figures_page(router, layout, operations.reads)
    bulk_pages(router, layout, live, operations)
    audit_page(router, layout, operations.reads)
    checks_page(router, layout, operations.reads)
    people_page(router, layout, operations)
    runbooks_page(router, layout, operations)
    settings_page(router, layout, operations.clocks)
    help_page(router, layout)


def _add_small_pages(router: PagesRouter, layout: Layout) -> None:
    """The list of keys, and what is asked for below `/dashboard` and is no page."""

    @router.get("/")
    def home_with_a_slash() -> Response:
        return RedirectResponse(HOME, 308)

    @router.get("/keys")
    def keys(request: Request) -> Response:
        return layout.page(request, "keys.html")

    router.lead_acts_back()

    @router.get("/{rest:path}")
    def nothing(rest: str) -> Response:
        raise not_found()  # a route of its own, after `require_login`: so that the error page has the navigation

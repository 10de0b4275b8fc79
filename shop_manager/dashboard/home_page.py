"""The home page: whether anything is stuck, why, the money at risk, and how each service is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.cause_rows import cause_rows
from shop_manager.dashboard.health import ServiceHealth, ServiceHealthReader
from shop_manager.dashboard.layout import ENVIRONMENT, Layout, login_of, may
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.saved_views import home_views
from shop_manager.dashboard.sparkline import polyline
from shop_manager.operations.facade import Operations

LIVE_PARTS = ("title", "health", "verdict", "causes", "counts", "activity", "flow")
"""Parts of the page, which change together while it is open; each is the id of an element (`title`: of the page's
title) and has a template of its own.
"""


def home_page(
    router: APIRouter, layout: Layout, live: LiveUpdates, operations: Operations, health: ServiceHealthReader
) -> None:
    page = HomePage(layout, operations, health)
    live.pages["home"] = page.updates
    router.add_api_route("", page.show, methods=["GET"])


class HomePage:
    def __init__(self, layout: Layout, operations: Operations, health: ServiceHealthReader) -> None:
        self._layout = layout
        self._operations = operations
        self._reads = operations.reads
        self._health = health

    def show(self, request: Request) -> Response:
        views = home_views(request, self._operations)
        figures = self._figures(request)
        return self._layout.page(request, "home.html", live="/dashboard/live?of=home", **views, **figures)

    def updates(self, request: Request) -> str:
        """All parts, of one moment: no headline stands over a table or a chart that says something else."""
        figures = self._figures(request)
        return "".join(
            partial(name, ENVIRONMENT.get_template(f"home_{name}.html").render(figures)) for name in LIVE_PARTS
        )

    def _figures(self, request: Request) -> dict[str, Any]:
        services = self._services(request)  # before the database is read: they may take long
        summary, now = self._reads.summary(), self._layout.now()
        flows = flow(self._reads.opens_and_ends())
        login = login_of(request)
        rows = cause_rows(summary["stuck"]["causes"], self._reads.growth(), login.role, may(login, "operator"))
        shown = {"summary": summary, "rows": rows, "now": now, "flow": flows, "services": services}
        return {**shown, "hour": last_hour(self._reads.compared_hours())}

    def _services(self, request: Request) -> list[ServiceHealth]:
        return self._health.read(getattr(request.app.state, "checks", {}))


def last_hour(compared: Mapping[str, Any]) -> dict[str, int]:
    """How many became `stuck`, and how many `healed`."""
    counts = {each["kind"]: each["last_hour"] for each in compared["kinds"]}
    return {name: counts[name] for name in ("stuck", "healed")}


def flow(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Opens and ends over time, for a small chart and its table: `{since, now, most, opened, ended, rows, …}`."""
    bars = figures["throughput"]
    opened = [bar["opened"] for bar in bars]
    ended = [sum(bar["ended"].values()) for bar in bars]
    most = max([*opened, *ended], default=0)
    return {
        **figures,
        "most": most,
        "opened": sum(opened),
        "ended": sum(ended),
        "opened_line": polyline(opened, most),
        "ended_line": polyline(ended, most),
        "rows": [bar for bar in bars if bar["opened"] or bar["ended"]],
    }

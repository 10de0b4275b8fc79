"""The home page: whether anything is stuck, why, the money at risk, and how each service is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.health import ServiceHealth, ServiceHealthReader
from shop_manager.dashboard.layout import ENVIRONMENT, Layout
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.query_parameters import address
from shop_manager.dashboard.sparkline import polyline
from shop_manager.operations.facade import Operations

LIVE_PARTS = ("verdict", "counts", "health")
"""Parts of the page that change while it is open; each is the id of an element and has a template of its own."""


def home_page(
    router: APIRouter, layout: Layout, live: LiveUpdates, operations: Operations, health: ServiceHealthReader
) -> None:
    page = HomePage(layout, operations, health)
    live.pages["home"] = page.updates
    router.add_api_route("", page.show, methods=["GET"])


class HomePage:
    def __init__(self, layout: Layout, operations: Operations, health: ServiceHealthReader) -> None:
        self._layout = layout
        self._reads = operations.reads
        self._health = health

    def show(self, request: Request) -> Response:
        summary = self._reads.summary()
        causes = summary["stuck"]["causes"]
        return self._layout.page(
            request,
            "home.html",
            summary=summary,
            services=self._services(request),
            causes=causes,
            flow=flow(self._reads.opens_and_ends()),
            live=address("/dashboard/live", {"of": "home", "seen": digest_of(causes)}),
        )

    def updates(self, request: Request) -> str:
        """The live parts; and that the causes have changed, whose table stays as it is while it is being read."""
        summary, services = self._reads.summary(), self._services(request)
        parts = [
            partial(name, ENVIRONMENT.get_template(f"home_{name}.html").render(summary=summary, services=services))
            for name in LIVE_PARTS
        ]
        if request.query_params.get("seen") != digest_of(summary["stuck"]["causes"]):
            parts.append(partial("news", ENVIRONMENT.get_template("home_changed.html").render()))
        return "".join(parts)

    def _services(self, request: Request) -> list[ServiceHealth]:
        return self._health.read(getattr(request.app.state, "checks", {}))


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


def digest_of(causes: Sequence[Mapping[str, Any]]) -> str:
    """A hash of which causes there are, and how many Clerks each has: it tells a page that shows others."""
    rows = [[cause[name] for name in ("process", "step", "kind", "code", "count")] for cause in causes]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:12]

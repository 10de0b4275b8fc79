"""The home page: is anything stuck, why, what does it cost, and is everything else well."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from shop_manager.dashboard.asked import address
from shop_manager.dashboard.health import Found, Health
from shop_manager.dashboard.live import Live, partial
from shop_manager.dashboard.shell import ENVIRONMENT, Shell
from shop_manager.dashboard.sparkline import line
from shop_manager.operations import Operations

CHANGING = ("verdict", "counts", "health")
"""Parts with a place of their own, which change where they stand."""


def home_page(router: APIRouter, shell: Shell, live: Live, operations: Operations, health: Health) -> None:
    reads = operations.reads

    def look(request: Request) -> list[Found]:
        return health.look(getattr(request.app.state, "checks", {}))

    def news(request: Request) -> str:
        found, services = reads.summary(), look(request)
        parts = [
            partial(name, ENVIRONMENT.get_template(f"home_{name}.html").render(summary=found, services=services))
            for name in CHANGING
        ]
        if request.query_params.get("seen") != digest(found["stuck"]["causes"]):
            parts.append(partial("news", ENVIRONMENT.get_template("home_news.html").render()))
        return "".join(parts)

    live.parts["home"] = news

    @router.get("")
    def home(request: Request) -> Response:
        found = reads.summary()
        causes = found["stuck"]["causes"]
        return shell.page(
            request,
            "home.html",
            summary=found,
            services=look(request),
            causes=causes,
            flow=flow(reads.opens_and_ends()),
            live=address("/dashboard/live", {"of": "home", "seen": digest(causes)}),
        )


def flow(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Opens and ends over time, for a small picture and its table: `{since, now, most, opened, ended, rows, …}`."""
    bars = figures["throughput"]
    opened = [bar["opened"] for bar in bars]
    ended = [sum(bar["ended"].values()) for bar in bars]
    most = max([*opened, *ended], default=0)
    return {
        **figures,
        "most": most,
        "opened": sum(opened),
        "ended": sum(ended),
        "opened_line": line(opened, most),
        "ended_line": line(ended, most),
        "rows": [bar for bar in bars if bar["opened"] or bar["ended"]],
    }


def digest(causes: Sequence[Mapping[str, Any]]) -> str:
    """Which causes there are, and how many of each: a page that shows others says so."""
    told = [[cause[name] for name in ("process", "step", "kind", "code", "count")] for cause in causes]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]

"""The page of what happened: one line after the other, the latest first, and the last hour against the hour before."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from shop_manager.dashboard.activity_query import CHOICES, MOMENTS, NAMES, ActivityQuery, read_activity_query
from shop_manager.dashboard.activity_view import KIND_WORDS, row_of, tile_of
from shop_manager.dashboard.address_errors import checked
from shop_manager.dashboard.form_numbers import is_number
from shop_manager.dashboard.layout import ENVIRONMENT, HEADERS, Layout
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.query_parameters import address, holds_what_was_typed
from shop_manager.operations.reads import Reads

PATH = "/dashboard/activity"
LIVE_PATH = "/dashboard/live"
BESIDE = frozenset({"cursor"})
OF_UPDATES = frozenset({"of", "seen"})
"""What else an address of the page, and one of its updates, holds."""
MOST_NEW = 50
"""So many new lines are counted; then there are "50+"."""


def activity_page(router: APIRouter, layout: Layout, live: LiveUpdates, reads: Reads) -> None:
    page = ActivityPage(layout, reads)
    live.pages["activity"] = page.updates
    router.add_api_route("/activity", page.show, methods=["GET"])


class ActivityPage:
    def __init__(self, layout: Layout, reads: Reads) -> None:
        self._layout = layout
        self._reads = reads
        known = reads.registry.by_reference
        self._processes = sorted(known)
        self._steps = list(dict.fromkeys(name for process in known.values() for name in process.names))

    def show(self, request: Request, cursor: str | None = None) -> Response:
        now = self._layout.now()
        query = checked(read_activity_query(request.query_params, now), request.query_params, NAMES, BESIDE)
        if not query.errors and holds_what_was_typed(request.query_params, MOMENTS, query.values):
            return RedirectResponse(address(PATH, query.values), 303, HEADERS)
        found: dict[str, Any] = {"data": [], "next_cursor": None}
        if not query.errors:
            found = self._reads.activity(query.filter(now), cursor=cursor or None)
        following = address(PATH, query.values, cursor=found["next_cursor"]) if found["next_cursor"] else ""
        seen = {**query.values, "of": "activity", "seen": self._reads.newest_activity()}
        return self._layout.page(
            request,
            "activity.html",
            422 if query.errors else 200,
            now=now,
            query=query,
            choices=CHOICES,
            kinds=KIND_WORDS,
            steps=self._steps,
            processes=self._processes,
            rows=[row_of(line) for line in found["data"]],
            following=following,
            first=address(PATH, query.values) if cursor else "",
            live=None if query.errors or "until" in query.values else address(LIVE_PATH, seen),
            **self._hours(query, now),
        )

    def updates(self, request: Request) -> str:
        """How much is new since the page was read, and the hours as they are now; no line is moved."""
        now, seen = self._layout.now(), request.query_params.get("seen", "")
        query = checked(read_activity_query(request.query_params, now), request.query_params, NAMES, OF_UPDATES)
        if query.errors or not is_number(seen):
            return ""
        new = self._reads.new_activity(query.filter(now), int(seen), MOST_NEW)
        counts = {"new": new, "changed": 0, "gone": 0, "most": MOST_NEW}
        news = ENVIRONMENT.get_template("clerks_changed.html").render(counts, again=address(PATH, query.values))
        hours = ENVIRONMENT.get_template("activity_hours.html").render(self._hours(query, now))
        return partial("news", news) + partial("hours", hours)

    def _hours(self, query: ActivityQuery, now: int) -> dict[str, Any]:
        compared = self._reads.compared_hours(query.filter(now))
        without = {name: value for name, value in query.values.items() if name not in ("since", "until")}
        tiles = [(tile_of(each), address(PATH, without, kind=each["kind"], hours=1)) for each in compared["kinds"]]
        return {"tiles": tiles}

"""The page of alerts: where they go, what was told lately and what became of it, and a test, for admins."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from http_api.conventions import Id
from http_api.principals import Principal
from http_api.problems import Problem
from shop_manager.alerts.desk import AlertDesk
from shop_manager.dashboard.forms import principal_of, raise_unless_shown
from shop_manager.dashboard.labels import Label
from shop_manager.dashboard.layout import ENVIRONMENT, HEADERS, Layout, login_of, may
from shop_manager.dashboard.live import LiveUpdates, partial
from shop_manager.dashboard.query_parameters import address

PATH = "/dashboard/alerts"
AT_ONCE = 50
STATES = {
    "waiting": Label("waits", "clock", "warn"),
    "delivered": Label("arrived", "check", "good"),
    "given_up": Label("given up", "alert", "bad"),
}
QueryText = Annotated[str, Query(max_length=1000)]


def alerts_page(router: APIRouter, layout: Layout, live: LiveUpdates, desk: AlertDesk) -> None:
    pages = AlertsPage(layout, desk)
    live.pages["alerts"] = pages.updates

    @router.get("/alerts")
    def alerts(request: Request, sent: QueryText = "", cursor: QueryText = "") -> Response:
        return pages.show(request, sent, cursor)

    @router.post("/alerts/test")
    def test(request: Request) -> Response:
        return pages.test(request)

    @router.post("/alerts/{alert}/again")
    def again(alert: Id, request: Request) -> Response:
        return pages.again(request, alert)


class AlertsPage:
    def __init__(self, layout: Layout, desk: AlertDesk) -> None:
        self._layout = layout
        self._desk = desk

    def show(self, request: Request, sent: str = "", cursor: str = "", problem: Problem | None = None) -> Response:
        """`sent`: the alert that was sent from here just now, of which the page tells what becomes of it."""
        found = self._desk.deliveries(limit=AT_ONCE, cursor=cursor or None)
        return self._layout.page(
            request,
            "alerts.html",
            problem.known.status if problem else 200,
            channels=self._desk.channels(),
            lines=found["data"],
            states=STATES,
            sent=self._of(sent),
            following=address(PATH, {"cursor": found["next_cursor"]}) if found["has_more"] else "",
            later=bool(cursor),
            may_test=may(login_of(request), "admin"),
            links=self._desk.options.public.is_known,
            error=problem.detail if problem else "",
            live=address("/dashboard/live", {"of": "alerts", "sent": sent}),
        )

    def test(self, request: Request) -> Response:
        who = principal_of(request)
        self._desk.require(who, "alert_test", "alerts")
        try:
            sent = self._desk.test(who)
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show(request, problem=problem)
        return _to(sent["id"])

    def again(self, request: Request, alert: str) -> Response:
        who: Principal = principal_of(request)
        self._desk.require(who, "alert_again", f"alert:{alert}")
        try:
            self._desk.send_again(who, alert)
        except Problem as problem:
            raise_unless_shown(problem)
            return self.show(request, problem=problem)
        return _to(alert)

    def updates(self, request: Request) -> str:
        """What became of the alert that was sent, wherever the page says it; the list keeps its lines."""
        sent = self._of(request.query_params.get("sent", ""))
        if not sent:
            return ""
        shown = {"sent": sent, "states": STATES, "channels": self._desk.channels(), "now": self._layout.now()}
        listed = {line["id"] for line in self._desk.deliveries(limit=AT_ONCE)["data"]}
        lines = [line for line in sent if line["id"] in listed]
        return "".join(
            [
                partial("sent", ENVIRONMENT.get_template("alerts_sent.html").render(shown)),
                partial("channels", ENVIRONMENT.get_template("alerts_channels.html").render(shown)),
                *(
                    partial(
                        f"state-{line['id']}-{line['channel']}",
                        ENVIRONMENT.get_template("alerts_state.html").render(shown, line=line),
                    )
                    for line in lines
                ),
            ]
        )

    def _of(self, alert: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._desk.deliveries(alert=alert)["data"] if alert else []
        return found


def _to(alert: str) -> Response:
    return RedirectResponse(f"{PATH}?sent={quote(alert, safe='')}", 303, HEADERS)

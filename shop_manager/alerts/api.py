"""The HTTP routes of alerts: the channels, what was told lately, a test alert, and sending again what was given up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from http_api.conventions import Id, page
from http_api.principals import require_operator
from http_api.routes import Routes
from shop_manager.alerts import answers
from shop_manager.alerts.desk import AlertDesk
from shop_manager.operations.api import Cursor, PageSize
from shop_manager.operations.api_acts import Who
from shop_manager.sessions.api import as_json


def ops_alerts_router(desk: AlertDesk) -> APIRouter:
    router = Routes(prefix="/ops/alerts", tags=["operators"], dependencies=[Depends(require_operator("viewer"))])

    def may_test(who: Who) -> None:
        desk.require(who, "alert_test", "alerts")

    def may_send(alert: Id, who: Who) -> None:
        desk.require(who, "alert_again", f"alert:{alert}")

    @router.get("", **answers.LIST_ALERTS)
    def list_alerts(
        alert: Annotated[Id | None, Query(description="of this one only")] = None,
        cursor: Cursor = None,
        limit: PageSize = 50,
    ) -> Response:
        """What was told, a line for each channel, the latest first; kept for 30 days."""
        return as_json(desk.deliveries(limit=limit, cursor=cursor, alert=alert))

    @router.get("/channels", **answers.LIST_CHANNELS)
    def list_channels() -> Response:
        """Where alerts go, how many wait, and what failed last."""
        found = desk.channels()
        return as_json(page(found, len(found), None))

    @router.post("/test", status_code=202, **answers.TEST_ALERTS, dependencies=[Depends(may_test)])
    def send_test_alert(who: Who) -> Response:
        """Send a test alert to each channel, which is tried once: `GET /ops/alerts?alert=…` tells what became of it."""
        return as_json(desk.test(who), 202)

    @router.post("/{alert}/again", status_code=202, **answers.SEND_AGAIN, dependencies=[Depends(may_send)])
    def send_alert_again(alert: Id, who: Who) -> Response:
        """Try once more what was given up of this alert."""
        return as_json(desk.send_again(who, alert), 202)

    return router

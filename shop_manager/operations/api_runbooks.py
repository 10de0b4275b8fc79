"""The HTTP routes of runbooks: what to do and who is responsible, for a service or for one cause of being stuck."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from http_api.answers import Answer, Moment, Page, ServiceName
from http_api.documented import documented
from http_api.routes import Routes
from shop_manager.operations.api_acts import Who
from shop_manager.operations.facade import Operations
from shop_manager.operations.runbooks import RunbookAsk
from shop_manager.sessions.api import as_json


class Runbook(Answer):
    """Of a service, or of a cause: the parts that it is not about are null."""

    service: ServiceName | None
    process: str | None
    step: str | None
    kind: str | None
    code: str | None
    link: str | None
    responsible: str | None
    at: Moment
    who: str


LIST_RUNBOOKS = documented(Page[Runbook], says="All of them.")
SAVE_RUNBOOK = documented(Runbook, says="The runbook as it is now.", problems=["not_allowed_now"], role="operator")


def ops_runbooks_router(operations: Operations) -> APIRouter:
    router = Routes(prefix="/ops/runbooks", tags=["operators"])
    runbooks = operations.runbooks

    def may_save(who: Who) -> None:
        runbooks.require(who)

    @router.get("", **LIST_RUNBOOKS)
    def list_runbooks(who: Who) -> Response:
        """What is set for services and causes; `/ops/summary` has with each cause what counts for it."""
        return as_json(runbooks.all())

    @router.post("", **SAVE_RUNBOOK, dependencies=[Depends(may_save)])
    def save_runbook(who: Who, body: RunbookAsk) -> Response:
        """Set the link and who is responsible, for a service or a cause; with neither it is taken away."""
        return as_json(runbooks.save(who, body))

    return router

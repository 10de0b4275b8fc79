"""The HTTP routes of bulk acts (O4): preview, start with a pace, progress, stop. All operators may look, admins act."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from http_api.conventions import Id, page
from http_api.routes import Routes
from shop_manager.operations import answers_records as answers
from shop_manager.operations.api import Cursor, PageSize
from shop_manager.operations.api_acts import Who
from shop_manager.operations.facade import Operations
from shop_manager.operations.requests import BulkAsk, BulkPace
from shop_manager.sessions.api import as_json


def ops_bulk_router(operations: Operations) -> APIRouter:
    router = Routes(prefix="/ops/bulk", tags=["operators"])
    bulk = operations.bulk

    def may_ask(who: Who) -> None:
        bulk.require(who, "bulk_preview", "new")

    def may_run(name: Id, who: Who) -> None:
        bulk.require(who, "bulk", name)

    @router.post("", status_code=201, **answers.PREVIEW_BULK, dependencies=[Depends(may_ask)])
    def preview_bulk(who: Who, body: BulkAsk) -> Response:
        """Freeze which Clerks or parked messages an act would be for: ids, count and money. Nothing is done yet."""
        found = bulk.preview(who, body)
        return as_json(found, 201, {"Location": f"/ops/bulk/{found['id']}"})

    @router.get("", **answers.LIST_BULKS)
    def list_bulks(who: Who, limit: PageSize = 20) -> Response:
        """The latest bulk acts."""
        return as_json(page(bulk.latest(limit), limit, None))

    @router.get("/{name}", **answers.READ_BULK)
    def read_bulk(name: Id, who: Who, cursor: Cursor = None, limit: PageSize = 50) -> Response:
        """How far it is, and the outcome of each item."""
        return as_json(bulk.read(name, limit=limit, cursor=cursor))

    @router.post("/{name}/start", **answers.MOVE_BULK, dependencies=[Depends(may_run)])
    def start_bulk(name: Id, who: Who, body: BulkPace | None = None) -> Response:
        """Let it run, so many a minute; what has changed since the preview is skipped."""
        return as_json(bulk.start(who, name, (body or BulkPace()).per_minute))

    @router.post("/{name}/stop", **answers.MOVE_BULK, dependencies=[Depends(may_run)])
    def stop_bulk(name: Id, who: Who) -> Response:
        """Do no more of it; it can be started again."""
        return as_json(bulk.stop(who, name))

    return router

"""The doors of bulk acts (O4): preview, start with a pace, progress, stop. Every operator may look, an admin acts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from doors.answers import Id, page
from shop_manager.api_ops_acts import Who
from shop_manager.api_sessions import as_json
from shop_manager.operations import Operations
from shop_manager.operations.requests import BulkAsk, BulkPace

Cursor = Annotated[str | None, Query(max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=200)]


def ops_bulk_router(operations: Operations) -> APIRouter:
    router = APIRouter(prefix="/ops/bulk", tags=["operators"])
    bulk = operations.bulk

    def may_ask(who: Who) -> None:
        bulk.require(who, "bulk_preview", "new")

    def may_run(name: Id, who: Who) -> None:
        bulk.require(who, "bulk", name)

    @router.post("", status_code=201, dependencies=[Depends(may_ask)])
    def preview(who: Who, body: BulkAsk) -> Response:
        """Freeze which Clerks or parked messages an act would be for: ids, count and money. Nothing is done yet."""
        found = bulk.preview(who, body)
        return as_json(found, 201, {"Location": f"/ops/bulk/{found['id']}"})

    @router.get("")
    def list_latest(who: Who, limit: Limit = 20) -> Response:
        """The latest bulk acts."""
        return as_json(page(bulk.latest(limit), limit, None))

    @router.get("/{name}")
    def read(name: Id, who: Who, cursor: Cursor = None, limit: Limit = 50) -> Response:
        """How far it is, and the outcome of each item."""
        return as_json(bulk.read(name, limit=limit, cursor=cursor))

    @router.post("/{name}/start", dependencies=[Depends(may_run)])
    def start(name: Id, who: Who, body: BulkPace | None = None) -> Response:
        """Let it run, so many a minute; what has changed since the preview is skipped."""
        return as_json(bulk.start(who, name, (body or BulkPace()).per_minute))

    @router.post("/{name}/stop", dependencies=[Depends(may_run)])
    def stop(name: Id, who: Who) -> Response:
        """Do no more of it; it can be started again."""
        return as_json(bulk.stop(who, name))

    return router
